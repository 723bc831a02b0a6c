//! Reading registrations that wait.

use async_trait::async_trait;
use auth_core::domain::{Digest, Email, PasswordHash, Pending};
use auth_core::port::{Pendings, StoreError};

use super::row::Fields;
use super::{Store, sql};

/// What [`pending`] reads.
macro_rules! pendings {
    ($rest:literal) => {
        concat!(
            "select id, email, email_canonical, slot, password_hash, name, locale, attributes, link_digest, link_until,
                code_mac, code_until, attempts, requested_from, created_at
            from auth_pending_registrations ",
            $rest
        )
    };
}

const BY_LINK: &str = pendings!("where link_digest = $1");

const OF_ADDRESS: &str = pendings!("where email_canonical = $1 order by created_at desc, id desc");

#[async_trait]
impl Pendings for Store {
    async fn find_pending(&self, link: &Digest) -> Result<Option<Pending>, StoreError> {
        let rows = self.rows(|| sql(BY_LINK).bind(link.as_bytes().as_slice())).await?;
        rows.first().map(|row| pending(&mut Fields::of(row))).transpose()
    }

    async fn pendings_of(&self, email: &Email) -> Result<Vec<Pending>, StoreError> {
        let rows = self.rows(|| sql(OF_ADDRESS).bind(email.canonical())).await?;
        rows.iter().map(|row| pending(&mut Fields::of(row))).collect()
    }
}

fn pending(fields: &mut Fields<'_>) -> Result<Pending, StoreError> {
    Ok(Pending {
        id: fields.id()?,
        email: fields.email()?,
        slot: fields.number("slot")?,
        password: fields.take::<&str>().map(PasswordHash::from_stored)?,
        name: fields.take()?,
        locale: fields.take()?,
        attributes: fields.attributes()?,
        link: Digest::from_bytes(fields.bytes("digest")?),
        link_until: fields.time()?,
        code: fields.mac()?,
        code_until: fields.time()?,
        attempts: fields.number("attempts")?,
        requested_from: Digest::from_bytes(fields.bytes("digest")?),
        created_at: fields.time()?,
    })
}
