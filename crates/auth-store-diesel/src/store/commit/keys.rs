//! Statements about signing keys and pepper checks.

use async_trait::async_trait;
use auth_core::domain::{PepperCheck, Sealed, SigningKey};
use auth_store::commit::{KeyStatements, Written};
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};

use super::super::auth_signing_keys;
use super::super::dialect::{self, writes};
use super::Tx;
use crate::error::Error;

#[async_trait]
impl KeyStatements for Tx<'_> {
    async fn insert_signing_key(&mut self, key: &SigningKey) -> Result<Written, Error> {
        let insert = diesel::insert_into(auth_signing_keys::table).values((
            auth_signing_keys::number.eq(i64::from(key.number)),
            auth_signing_keys::kid.eq(key.kid.as_str()),
            auth_signing_keys::public_key.eq(key.public.as_slice()),
            auth_signing_keys::private_key.eq(key.private.as_bytes()),
            auth_signing_keys::created_at.eq(key.created_at.as_micros()),
        ));
        self.run_unless_taken(insert, dialect::KEY_NUMBER_TAKEN).await
    }

    async fn reseal_signing_key(&mut self, number: u32, from: &Sealed, to: &Sealed) -> Result<u64, Error> {
        let still =
            auth_signing_keys::table.find(i64::from(number)).filter(auth_signing_keys::private_key.eq(from.as_bytes()));
        self.run(diesel::update(still).set(auth_signing_keys::private_key.eq(to.as_bytes()))).await
    }

    async fn delete_signing_keys(&mut self, below: u32) -> Result<u64, Error> {
        let earlier = auth_signing_keys::table.filter(auth_signing_keys::number.lt(i64::from(below)));
        self.run(diesel::delete(earlier)).await
    }

    async fn insert_pepper_check(&mut self, check: &PepperCheck) -> Result<(), Error> {
        self.run(writes::pepper_check(check)).await.map(drop)
    }
}
