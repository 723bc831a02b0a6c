//! Reading what second factors are checked against.

use async_trait::async_trait;
use auth_core::domain::{Mac, Sealed, TotpSecret, UserId};
use auth_core::port::{SecondFactors, StoreError};
use auth_store::read;

use super::row::{Fields, failed};
use super::{Store, sql};

const TOTP_SECRETS: &str =
    "select id, user_id, secret, last_step, pending_until from auth_totp_secrets where user_id = $1";

const RECOVERY_CODES: &str = "select code_mac from auth_recovery_codes where user_id = $1";

#[async_trait]
impl SecondFactors for Store {
    async fn totp_secrets(&self, user: UserId) -> Result<Vec<TotpSecret>, StoreError> {
        let rows = self.rows(|| sql(TOTP_SECRETS).bind(user.as_uuid())).await?;
        let secret = |mut fields: Fields<'_>| {
            Ok(TotpSecret {
                id: fields.id()?,
                user: fields.id()?,
                secret: fields.take::<&[u8]>().map(Sealed::from_bytes)?,
                last_step: fields.take::<Option<i64>>()?.map(read::time_step).transpose().map_err(failed)?,
                pending_until: fields.maybe_time()?,
            })
        };
        rows.iter().map(|row| secret(Fields::of(row))).collect()
    }

    async fn recovery_codes(&self, user: UserId) -> Result<Vec<Mac>, StoreError> {
        let rows = self.rows(|| sql(RECOVERY_CODES).bind(user.as_uuid())).await?;
        rows.iter().map(|row| Fields::of(row).mac()).collect()
    }
}
