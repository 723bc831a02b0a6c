//! Reading what second factors are checked against.

use async_trait::async_trait;
use auth_core::domain::{FactorId, Mac, Sealed, TotpSecret, UserId};
use auth_core::port::{SecondFactors, StoreError};
use auth_store::read;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};

use super::row::{self, failed};
use super::{Id, Store, auth_recovery_codes as codes, auth_totp_secrets as secrets};

type TotpSecretRow = (Id, Id, Vec<u8>, Option<i64>, Option<i64>);

#[async_trait]
impl SecondFactors for Store {
    async fn totp_secrets(&self, user: UserId) -> Result<Vec<TotpSecret>, StoreError> {
        let query = || secrets::table.filter(secrets::user_id.eq(Id(user.as_uuid()))).select(secrets::all_columns);
        let secret = |(id, user, secret, last_step, pending_until): TotpSecretRow| {
            Ok(TotpSecret {
                id: FactorId::from(id.0),
                user: UserId::from(user.0),
                secret: Sealed::from_bytes(secret),
                last_step: last_step.map(read::time_step).transpose().map_err(failed)?,
                pending_until: row::maybe_time(pending_until),
            })
        };
        self.rows(query).await?.into_iter().map(secret).collect()
    }

    async fn recovery_codes(&self, user: UserId) -> Result<Vec<Mac>, StoreError> {
        let query = || codes::table.filter(codes::user_id.eq(Id(user.as_uuid()))).select(codes::code_mac);
        let macs: Vec<Vec<u8>> = self.rows(query).await?;
        macs.iter().map(|mac| row::mac(mac)).collect()
    }
}
