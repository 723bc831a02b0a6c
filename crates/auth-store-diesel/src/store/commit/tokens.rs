//! Statements about one-time tokens.

use async_trait::async_trait;
use auth_core::domain::{Email, Mac, Purpose, Timestamp, Token, TokenId, UserId};
use auth_store::commit::TokenStatements;
use diesel::prelude::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable as _, IntoSql as _, QueryDsl as _,
};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::super::dialect::IdType;
use super::super::{Id, Parts, auth_one_time_tokens as tokens, auth_users};
use super::Tx;
use crate::error::Error;

/// A token of that user.
macro_rules! token {
    ($user:expr, $token:expr) => {
        tokens::table.find(Id($token.as_uuid())).filter(tokens::user_id.eq(Id($user.as_uuid())))
    };
}

/// All of a user's tokens for one purpose.
macro_rules! of_purpose {
    ($user:expr, $purpose:expr) => {
        tokens::table.filter(tokens::user_id.eq(Id($user.as_uuid()))).filter(tokens::purpose.eq($purpose.as_str()))
    };
}

#[async_trait]
impl TokenStatements for Tx<'_> {
    async fn insert_token(&mut self, token: &Token, at_most: u32) -> Result<u64, Error> {
        let account = token.account.as_ref().map(Email::canonical);
        let code = token.code.map(|code| code.to_bytes());
        let sign_in = token.sign_in.as_ref();
        let methods = sign_in.map(|first| first.methods.to_text());
        let row = (
            Id(token.id.as_uuid()).into_sql::<IdType>(),
            auth_users::id,
            token.purpose.as_str().into_sql::<Text>(),
            token.email.as_str().into_sql::<Text>(),
            token.email.canonical().into_sql::<Text>(),
            token.account.as_ref().map(Email::as_str).into_sql::<Nullable<Text>>(),
            account.into_sql::<Nullable<Text>>(),
            token.link.as_ref().map(|digest| digest.as_bytes().as_slice()).into_sql::<Nullable<Binary>>(),
            token.link_until.as_micros().into_sql::<BigInt>(),
            code.as_ref().map(<[u8; 40]>::as_slice).into_sql::<Nullable<Binary>>(),
            token.code_until.as_micros().into_sql::<BigInt>(),
            i64::from(token.attempts).into_sql::<BigInt>(),
            token.requested_from.as_bytes().as_slice().into_sql::<Binary>(),
            token.created_at.as_micros().into_sql::<BigInt>(),
            sign_in.map(|first| i64::from(first.epoch.number())).into_sql::<Nullable<BigInt>>(),
            sign_in.and_then(|first| first.device).map(|device| Id(device.as_uuid())).into_sql::<Nullable<IdType>>(),
            methods.as_deref().into_sql::<Nullable<Text>>(),
            token.session.map(|session| Id(session.as_uuid())).into_sql::<Nullable<IdType>>(),
        );
        let now = token.created_at.as_micros();
        let has_link = tokens::link_digest.is_not_null().and(tokens::link_until.gt(now));
        let has_code = tokens::code_mac.is_not_null().and(tokens::code_until.gt(now));
        let living = of_purpose!(token.user, token.purpose).filter(has_link.or(has_code)).count().single_value();
        let may_have = auth_users::table.find(Id(token.user.as_uuid())).filter(living.lt(i64::from(at_most)));
        match account {
            Some(account) => {
                let bound = may_have.filter(auth_users::email_canonical.eq(account)).select(row);
                self.run(bound.insert_into(tokens::table).into_columns(tokens::all_columns)).await
            }
            None => self.run(may_have.select(row).insert_into(tokens::table).into_columns(tokens::all_columns)).await,
        }
    }

    /// MySQL takes a limit in a subquery only where that is a table of its own, which diesel can't say.
    async fn trim_tokens(&mut self, user: UserId, purpose: Purpose, keep: u32) -> Result<u64, Error> {
        let newest = of_purpose!(user, purpose)
            .order((tokens::created_at.desc(), tokens::id.desc()))
            .limit(keep.into())
            .select(tokens::id);
        let trim = Parts::<()>::of("delete from auth_one_time_tokens where user_id = ")
            .id(Id(user.as_uuid()))
            .sql(" and purpose = ")
            .text(purpose.as_str())
            .sql(" and id not in (select id from (")
            .query(newest)
            .sql(") as kept)");
        self.run(trim).await
    }

    async fn claim_attempt(&mut self, user: UserId, token: TokenId, limit: u32) -> Result<u64, Error> {
        let unspent = token!(user, token).filter(tokens::attempts.lt(i64::from(limit)));
        self.run(diesel::update(unspent).set(tokens::attempts.eq(tokens::attempts + 1_i64))).await
    }

    async fn return_attempt(&mut self, user: UserId, token: TokenId) -> Result<u64, Error> {
        let claimed = token!(user, token).filter(tokens::attempts.gt(0));
        self.run(diesel::update(claimed).set(tokens::attempts.eq(tokens::attempts - 1_i64))).await
    }

    async fn renew_code(&mut self, user: UserId, token: TokenId, code: &Mac, until: Timestamp) -> Result<u64, Error> {
        let renew = diesel::update(token!(user, token))
            .set((tokens::code_mac.eq(code.to_bytes().to_vec()), tokens::code_until.eq(until.as_micros())));
        self.run(renew).await
    }

    async fn delete_token(&mut self, user: UserId, token: TokenId) -> Result<u64, Error> {
        self.run(diesel::delete(token!(user, token))).await
    }

    async fn delete_tokens(&mut self, user: UserId, purpose: Purpose) -> Result<u64, Error> {
        self.run(diesel::delete(of_purpose!(user, purpose))).await
    }
}
