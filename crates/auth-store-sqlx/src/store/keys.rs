//! Reading keys and their checks.

use async_trait::async_trait;
use auth_core::domain::{KeyId, PepperCheck, Sealed, SigningKey};
use auth_core::port::{Keys, StoreError};

use super::row::{Fields, unreadable};
use super::{Store, sql};

const SIGNING_KEYS: &str =
    "select number, kid, public_key, private_key, created_at from auth_signing_keys order by number desc";

const PEPPER_CHECKS: &str = "select key_id, mac from auth_pepper_checks";

#[async_trait]
impl Keys for Store {
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let rows = self.rows(|| sql(SIGNING_KEYS)).await?;
        let key = |mut fields: Fields<'_>| {
            Ok(SigningKey {
                number: fields.number("key number")?,
                kid: fields.take()?,
                public: fields.bytes("public key")?,
                private: fields.take::<&[u8]>().map(Sealed::from_bytes)?,
                created_at: fields.time()?,
            })
        };
        rows.iter().map(|row| key(Fields::of(row))).collect()
    }

    async fn pepper_checks(&self) -> Result<Vec<PepperCheck>, StoreError> {
        let rows = self.rows(|| sql(PEPPER_CHECKS)).await?;
        let check = |mut fields: Fields<'_>| {
            let key = KeyId::from_bytes(fields.take()?).ok_or_else(|| unreadable("key id"))?;
            Ok(PepperCheck { key, mac: fields.mac()? })
        };
        rows.iter().map(|row| check(Fields::of(row))).collect()
    }
}
