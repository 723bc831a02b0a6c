//! Reading registrations that wait.

use async_trait::async_trait;
use auth_core::domain::{Digest, Email, PasswordHash, Pending, Timestamp, TokenId};
use auth_core::port::{Pendings, StoreError};
use diesel::SelectableHelper as _;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};

use super::dialect::Db;
use super::row::{self, digest, number};
use super::{Id, Store, auth_pending_registrations as waiting};

#[derive(Queryable, Selectable)]
#[diesel(table_name = waiting, check_for_backend(Db))]
struct PendingRow {
    id: Id,
    email: String,
    email_canonical: String,
    slot: i64,
    password_hash: String,
    name: Option<String>,
    locale: Option<String>,
    attributes: String,
    link_digest: Vec<u8>,
    link_until: i64,
    code_mac: Vec<u8>,
    code_until: i64,
    attempts: i64,
    requested_from: Vec<u8>,
    created_at: i64,
}

#[async_trait]
impl Pendings for Store {
    async fn find_pending(&self, link: &Digest) -> Result<Option<Pending>, StoreError> {
        let query =
            || waiting::table.filter(waiting::link_digest.eq(link.as_bytes().to_vec())).select(PendingRow::as_select());
        self.rows(query).await?.pop().map(PendingRow::read).transpose()
    }

    async fn pendings_of(&self, email: &Email) -> Result<Vec<Pending>, StoreError> {
        let query = || {
            waiting::table
                .filter(waiting::email_canonical.eq(email.canonical().to_owned()))
                .order((waiting::created_at.desc(), waiting::id.desc()))
                .select(PendingRow::as_select())
        };
        self.rows(query).await?.into_iter().map(PendingRow::read).collect()
    }
}

impl PendingRow {
    fn read(self) -> Result<Pending, StoreError> {
        Ok(Pending {
            id: TokenId::from(self.id.0),
            email: Email::from_stored(self.email, self.email_canonical),
            slot: number(self.slot, "slot")?,
            password: PasswordHash::from_stored(self.password_hash),
            name: self.name,
            locale: self.locale,
            attributes: row::attributes(&self.attributes)?,
            link: digest(&self.link_digest)?,
            link_until: Timestamp::from_micros(self.link_until),
            code: row::mac(&self.code_mac)?,
            code_until: Timestamp::from_micros(self.code_until),
            attempts: number(self.attempts, "attempts")?,
            requested_from: digest(&self.requested_from)?,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}
