//! Reading one-time tokens.

use async_trait::async_trait;
use auth_core::domain::{Digest, Issued, Purpose, Token, UserId};
use auth_core::port::{StoreError, Tokens};
use auth_store::read;

use super::row::{Fields, failed};
use super::users::{epoch, join_roles, user, user_columns};
use super::{Store, sql};

/// What [`token`] reads, of `auth_one_time_tokens t`.
macro_rules! token_columns {
    () => {
        "t.id, t.user_id, t.purpose, t.email, t.email_canonical, t.account, t.account_canonical, t.link_digest, t.link_until, \
         t.code_mac, t.code_until, t.attempts, t.requested_from, t.epoch, t.device_id, t.methods, t.session_id, t.created_at"
    };
}

const BY_LINK: &str = concat!(
    "select ",
    token_columns!(),
    ", ",
    user_columns!(),
    ", r.role from auth_one_time_tokens t join auth_users u on u.id = t.user_id",
    join_roles!(),
    "where t.link_digest = $1"
);

const OF_USER: &str = concat!(
    "select ",
    token_columns!(),
    " from auth_one_time_tokens t where t.user_id = $1 and t.purpose = $2 order by t.created_at desc, t.id desc"
);

#[async_trait]
impl Tokens for Store {
    async fn find_token(&self, link: &Digest) -> Result<Option<Issued>, StoreError> {
        let rows = self.rows(|| sql(BY_LINK).bind(link.as_bytes().as_slice())).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut fields = Fields::of(row);
        Ok(Some(Issued { token: token(&mut fields)?, user: user(&mut fields, &rows)? }))
    }

    async fn tokens_of(&self, user: UserId, purpose: Purpose) -> Result<Vec<Token>, StoreError> {
        let rows = self.rows(|| sql(OF_USER).bind(user.as_uuid()).bind(purpose.as_str())).await?;
        rows.iter().map(|row| token(&mut Fields::of(row))).collect()
    }
}

fn token(fields: &mut Fields<'_>) -> Result<Token, StoreError> {
    Ok(Token {
        id: fields.id()?,
        user: fields.id()?,
        purpose: fields.parsed("purpose", Purpose::parse)?,
        email: fields.email()?,
        account: fields.maybe_email()?,
        link: fields.maybe_bytes("digest")?.map(Digest::from_bytes),
        link_until: fields.time()?,
        code: fields.maybe_mac()?,
        code_until: fields.time()?,
        attempts: fields.number("attempts")?,
        requested_from: Digest::from_bytes(fields.bytes("digest")?),
        sign_in: read::first_step(fields.take()?, fields.maybe_id()?, fields.take()?).map_err(failed)?,
        session: fields.maybe_id()?,
        created_at: fields.time()?,
    })
}
