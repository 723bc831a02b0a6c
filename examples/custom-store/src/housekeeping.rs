//! What the store does on its own account.

use async_trait::async_trait;
use auth_core::domain::{LeaseId, MailState, Pending, Session, Timestamp, Token, TotpSecret};
use auth_core::port::{Housekeeping, StoreError};

use crate::record::{Lease, MailRow, Reply, Window};
use crate::table::Record;
use crate::transaction::{Failed, Snapshot as _, Tx};
use crate::{RedbStore, limit, read};

#[async_trait]
impl Housekeeping for RedbStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.read(read::everybodys_epoch).await.map(drop)
    }

    async fn missing_migrations(&self) -> Result<Vec<String>, StoreError> {
        // The tables are made when the database is opened.
        Ok(Vec::new())
    }

    async fn sweep(&self, now: Timestamp, mail_before: Timestamp, at_most: u32) -> Result<u64, StoreError> {
        let limit = limit(at_most);
        self.write(move |tx| {
            bury_expired(tx, now, limit)?;
            Ok(delete(tx, limit, |session: &Session| session.kept_until <= now)?
                + delete(tx, limit, |token: &Token| token.link_until <= now && token.code_until <= now)?
                + delete(tx, limit, |pending: &Pending| pending.link_until <= now && pending.code_until <= now)?
                + delete(tx, limit, |secret: &TotpSecret| secret.pending_until.is_some_and(|end| end <= now))?
                + delete(tx, limit, |window: &Window| window.ends_at <= now)?
                + delete(tx, limit, |reply: &Reply| reply.expires_at <= now)?
                + delete(tx, limit, |row: &MailRow| row.state != MailState::Queued && row.at < mail_before)?)
        })
        .await
    }

    async fn acquire(&self, name: &str, holder: LeaseId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |tx| {
            let held = tx.find::<Lease>(name.as_bytes())?;
            let is_held = held.is_some_and(|lease| lease.holder != holder && now < lease.until);
            if !is_held {
                tx.put(name.as_bytes(), &Lease { holder, until })?;
            }
            Ok(!is_held)
        })
        .await
    }
}

/// Deletes up to `limit` rows whose time is over, and says how many.
fn delete<R: Record>(tx: &Tx, limit: usize, is_over: impl Fn(&R) -> bool) -> Result<u64, Failed> {
    let over = tx.all::<R>()?.into_iter().filter(|(_, row)| is_over(row)).take(limit);
    tx.delete_all::<R>(&over.map(|(key, _)| key).collect::<Vec<_>>())
}

/// Gives up mail that has expired, and erases what expired mail carried.
fn bury_expired(tx: &Tx, now: Timestamp, limit: usize) -> Result<(), Failed> {
    let is_over = |row: &MailRow| match row.state {
        // Not from under a worker that is sending: its lease ends soon enough.
        MailState::Queued => row.lease.is_none() || row.at <= now,
        MailState::Dead => !row.is_erased(),
        MailState::Sent => false,
    };
    let expired = tx.all::<MailRow>()?.into_iter().filter(|(_, row)| row.mail.expires_at <= now && is_over(row));
    for (id, mut row) in expired.take(limit) {
        if row.state == MailState::Queued {
            (row.state, row.lease, row.at, row.reason) = (MailState::Dead, None, now, Some("expired".to_owned()));
        }
        row.erase();
        tx.put(&id, &row)?;
    }
    Ok(())
}
