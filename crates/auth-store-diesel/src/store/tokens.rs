//! Reading one-time tokens.

use async_trait::async_trait;
use auth_core::domain::{DeviceId, Digest, Email, Issued, Purpose, SessionId, Timestamp, Token, TokenId, UserId};
use auth_core::port::{StoreError, Tokens};
use auth_store::read;
use diesel::SelectableHelper as _;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};

use super::dialect::Db;
use super::row::{self, digest, failed, number, parsed};
use super::users::{UserAndRole, user};
use super::{Id, Store, auth_one_time_tokens, auth_user_roles, auth_users};

#[derive(Queryable, Selectable)]
#[diesel(table_name = auth_one_time_tokens, check_for_backend(Db))]
struct TokenRow {
    id: Id,
    user_id: Id,
    purpose: String,
    email: String,
    email_canonical: String,
    account: Option<String>,
    account_canonical: Option<String>,
    link_digest: Option<Vec<u8>>,
    link_until: i64,
    code_mac: Option<Vec<u8>>,
    code_until: i64,
    attempts: i64,
    requested_from: Vec<u8>,
    epoch: Option<i64>,
    device_id: Option<Id>,
    methods: Option<String>,
    session_id: Option<Id>,
    created_at: i64,
}

#[async_trait]
impl Tokens for Store {
    async fn find_token(&self, link: &Digest) -> Result<Option<Issued>, StoreError> {
        let query = || {
            auth_one_time_tokens::table
                .inner_join(auth_users::table.left_join(auth_user_roles::table))
                .filter(auth_one_time_tokens::link_digest.eq(link.as_bytes().to_vec()))
                .select((TokenRow::as_select(), UserAndRole::as_select()))
        };
        let rows: Vec<(TokenRow, UserAndRole)> = self.rows(query).await?;
        let mut rows = rows.into_iter();
        let Some((token, first)) = rows.next() else { return Ok(None) };
        let user = user(first, rows.map(|(_, row)| row))?;
        Ok(Some(Issued { token: token.read()?, user }))
    }

    async fn tokens_of(&self, user: UserId, purpose: Purpose) -> Result<Vec<Token>, StoreError> {
        let query = || {
            auth_one_time_tokens::table
                .filter(auth_one_time_tokens::user_id.eq(Id(user.as_uuid())))
                .filter(auth_one_time_tokens::purpose.eq(purpose.as_str()))
                .order((auth_one_time_tokens::created_at.desc(), auth_one_time_tokens::id.desc()))
                .select(TokenRow::as_select())
        };
        self.rows(query).await?.into_iter().map(TokenRow::read).collect()
    }
}

impl TokenRow {
    fn read(self) -> Result<Token, StoreError> {
        let device = self.device_id.map(|device| DeviceId::from(device.0));
        let sign_in = read::first_step(self.epoch, device, self.methods.as_deref());
        Ok(Token {
            id: TokenId::from(self.id.0),
            user: UserId::from(self.user_id.0),
            purpose: parsed(Purpose::parse(&self.purpose), "purpose")?,
            email: Email::from_stored(self.email, self.email_canonical),
            account: row::maybe_email(self.account, self.account_canonical),
            link: self.link_digest.as_deref().map(digest).transpose()?,
            link_until: Timestamp::from_micros(self.link_until),
            code: self.code_mac.as_deref().map(row::mac).transpose()?,
            code_until: Timestamp::from_micros(self.code_until),
            attempts: number(self.attempts, "attempts")?,
            requested_from: digest(&self.requested_from)?,
            sign_in: sign_in.map_err(failed)?,
            session: self.session_id.map(|session| SessionId::from(session.0)),
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}
