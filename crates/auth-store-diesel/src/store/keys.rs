//! Reading keys and their checks.

use async_trait::async_trait;
use auth_core::domain::{KeyId, PepperCheck, Sealed, SigningKey, Timestamp};
use auth_core::port::{Keys, StoreError};
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};

use super::row::{self, number, parsed};
use super::{Store, auth_pepper_checks, auth_signing_keys};

type SigningKeyRow = (i64, String, Vec<u8>, Vec<u8>, i64);

#[async_trait]
impl Keys for Store {
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let query =
            || auth_signing_keys::table.order(auth_signing_keys::number.desc()).select(auth_signing_keys::all_columns);
        let key = |(key_number, kid, public, private, created_at): SigningKeyRow| {
            Ok(SigningKey {
                number: number(key_number, "key number")?,
                kid,
                public: row::bytes(&public, "public key")?,
                private: Sealed::from_bytes(private),
                created_at: Timestamp::from_micros(created_at),
            })
        };
        self.rows(query).await?.into_iter().map(key).collect()
    }

    async fn pepper_checks(&self) -> Result<Vec<PepperCheck>, StoreError> {
        let query = || auth_pepper_checks::table.select(auth_pepper_checks::all_columns);
        let check = |(key, mac): (Vec<u8>, Vec<u8>)| {
            Ok(PepperCheck { key: parsed(KeyId::from_bytes(&key), "key id")?, mac: row::mac(&mac)? })
        };
        self.rows(query).await?.into_iter().map(check).collect()
    }
}
