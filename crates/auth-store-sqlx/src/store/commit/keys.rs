//! Statements about signing keys and pepper checks.

use async_trait::async_trait;
use auth_core::domain::{PepperCheck, Sealed, SigningKey};
use auth_store::commit::{KeyStatements, Written};

use super::super::{dialect, sql};
use super::Tx;

#[async_trait]
impl KeyStatements for Tx<'_> {
    async fn insert_signing_key(&mut self, key: &SigningKey) -> sqlx::Result<Written> {
        const INSERT: &str = "
            insert into auth_signing_keys (number, kid, public_key, private_key, created_at)
            values ($1, $2, $3, $4, $5)";
        let query = sql(INSERT)
            .bind(i64::from(key.number))
            .bind(key.kid.as_str())
            .bind(key.public.as_slice())
            .bind(key.private.as_bytes())
            .bind(key.created_at.as_micros());
        self.run_unless_taken(query, dialect::KEY_NUMBER_TAKEN).await
    }

    async fn reseal_signing_key(&mut self, number: u32, from: &Sealed, to: &Sealed) -> sqlx::Result<u64> {
        const RESEAL: &str = "update auth_signing_keys set private_key = $1 where number = $2 and private_key = $3";
        self.run(sql(RESEAL).bind(to.as_bytes()).bind(i64::from(number)).bind(from.as_bytes())).await
    }

    async fn delete_signing_keys(&mut self, below: u32) -> sqlx::Result<u64> {
        self.run(sql("delete from auth_signing_keys where number < $1").bind(i64::from(below))).await
    }

    async fn insert_pepper_check(&mut self, check: &PepperCheck) -> sqlx::Result<()> {
        let query =
            sql(dialect::ADD_PEPPER_CHECK).bind(check.key.as_bytes().as_slice()).bind(check.mac.to_bytes().to_vec());
        self.run(query).await.map(drop)
    }
}
