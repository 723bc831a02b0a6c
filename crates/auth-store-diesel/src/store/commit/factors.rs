//! Statements about second factors.

use async_trait::async_trait;
use auth_core::domain::{FactorId, Factors, Mac, Sealed, Timestamp, TotpSecret, UserId};
use auth_store::commit::FactorStatements;
use diesel::prelude::{ExpressionMethods as _, Insertable as _, IntoSql as _, QueryDsl as _};
use diesel::sql_types::{BigInt, Binary, Nullable};

use super::super::dialect::IdType;
use super::super::{Id, Parts, auth_recovery_codes as codes, auth_totp_secrets as secrets, auth_users};
use super::Tx;
use crate::error::Error;

/// A secret of that user.
macro_rules! secret {
    ($user:expr, $factor:expr) => {
        secrets::table.find(Id($factor.as_uuid())).filter(secrets::user_id.eq(Id($user.as_uuid())))
    };
}

#[async_trait]
impl FactorStatements for Tx<'_> {
    async fn set_factors(&mut self, user: UserId, from: &Factors, to: &Factors) -> Result<u64, Error> {
        let still = auth_users::table.find(Id(user.as_uuid())).filter(auth_users::factors.eq(from.to_text()));
        self.run(diesel::update(still).set(auth_users::factors.eq(to.to_text()))).await
    }

    async fn delete_enrolments(&mut self, user: UserId) -> Result<u64, Error> {
        let enrolled =
            secrets::table.filter(secrets::user_id.eq(Id(user.as_uuid()))).filter(secrets::pending_until.is_not_null());
        self.run(diesel::delete(enrolled)).await
    }

    async fn insert_totp(&mut self, secret: &TotpSecret) -> Result<u64, Error> {
        let row = (
            Id(secret.id.as_uuid()).into_sql::<IdType>(),
            auth_users::id,
            secret.secret.as_bytes().into_sql::<Binary>(),
            secret.last_step.map(number).into_sql::<Nullable<BigInt>>(),
            secret.pending_until.map(Timestamp::as_micros).into_sql::<Nullable<BigInt>>(),
        );
        let insert = auth_users::table
            .find(Id(secret.user.as_uuid()))
            .select(row)
            .insert_into(secrets::table)
            .into_columns(secrets::all_columns);
        self.run(insert).await
    }

    async fn confirm_totp(&mut self, user: UserId, factor: FactorId, step: u64) -> Result<u64, Error> {
        let enrolled = secret!(user, factor).filter(secrets::pending_until.is_not_null());
        let confirm =
            diesel::update(enrolled).set((secrets::last_step.eq(number(step)), secrets::pending_until.eq(None::<i64>)));
        self.run(confirm).await
    }

    // Of a secret that isn't on, no step is before that one.
    async fn spend_totp_step(&mut self, user: UserId, factor: FactorId, step: u64) -> Result<u64, Error> {
        let unspent = secret!(user, factor).filter(secrets::last_step.lt(number(step)));
        self.run(diesel::update(unspent).set(secrets::last_step.eq(number(step)))).await
    }

    async fn reseal_totp(&mut self, user: UserId, factor: FactorId, from: &Sealed, to: &Sealed) -> Result<u64, Error> {
        let still = secret!(user, factor).filter(secrets::secret.eq(from.as_bytes()));
        self.run(diesel::update(still).set(secrets::secret.eq(to.as_bytes()))).await
    }

    async fn delete_totp(&mut self, user: UserId, keep: Option<FactorId>) -> Result<u64, Error> {
        let all = secrets::table.filter(secrets::user_id.eq(Id(user.as_uuid())));
        match keep {
            Some(factor) => self.run(diesel::delete(all.filter(secrets::id.ne(Id(factor.as_uuid()))))).await,
            None => self.run(diesel::delete(all)).await,
        }
    }

    /// SQLite takes several rows as well, but not from diesel, which would run a statement for each.
    async fn insert_recovery_codes(&mut self, user: UserId, codes: &[Mac]) -> Result<u64, Error> {
        let mut insert = Parts::<()>::of("insert into auth_recovery_codes (user_id, code_mac) values ");
        for (i, code) in codes.iter().enumerate() {
            let row = if i == 0 { "(" } else { ", (" };
            insert = insert.sql(row).id(Id(user.as_uuid())).sql(", ").bytes(&code.to_bytes()).sql(")");
        }
        self.run(insert).await
    }

    async fn delete_recovery_codes(&mut self, user: UserId) -> Result<u64, Error> {
        self.run(diesel::delete(codes::table.filter(codes::user_id.eq(Id(user.as_uuid()))))).await
    }

    async fn delete_recovery_code(&mut self, user: UserId, code: &Mac) -> Result<u64, Error> {
        let code = codes::table.find((Id(user.as_uuid()), code.to_bytes().to_vec()));
        self.run(diesel::delete(code)).await
    }
}

/// As the database counts. Steps are half minutes since 1970: none is too many.
fn number(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
