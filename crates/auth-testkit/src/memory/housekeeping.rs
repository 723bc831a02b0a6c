//! What stores do on their own account.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use async_trait::async_trait;
use auth_core::domain::{LeaseId, Timestamp};
use auth_core::port::{Housekeeping, StoreError};

use super::outbox::State;
use super::{Lease, MemoryStore};

#[async_trait]
impl Housekeeping for MemoryStore {
    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn missing_migrations(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    async fn sweep(&self, now: Timestamp, mail_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = super::limit(limit);
        let swept = self.with(|tables| {
            for row in tables.outbox.values_mut() {
                match row.state {
                    _ if row.mail.expires_at > now => {}
                    State::Sent { .. } => {}
                    State::Dead { .. } => row.erase(),
                    // Not from under a worker that is sending: its lease ends soon enough.
                    State::Leased { until, .. } if until > now => {}
                    State::Due(_) | State::Leased { .. } => {
                        row.bury(now, "expired");
                        row.erase();
                    }
                }
            }
            delete(&mut tables.sessions, limit, |session| session.kept_until <= now)
                + delete(&mut tables.tokens, limit, |token| token.link_until <= now && token.code_until <= now)
                + delete(&mut tables.pendings, limit, |pending| pending.link_until <= now && pending.code_until <= now)
                + delete(&mut tables.totp_secrets, limit, |secret| secret.pending_until.is_some_and(|end| end <= now))
                + delete(&mut tables.budgets, limit, |window| window.ends_at <= now)
                + delete(&mut tables.replies, limit, |row| row.claimed.expires_at <= now)
                + delete(&mut tables.outbox, limit, |row| row.state.is_over_since(mail_before))
        });
        Ok(swept.await)
    }

    async fn acquire(&self, name: &str, holder: LeaseId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let acquired = self.with(|tables| {
            let held = tables.leases.get(name).is_some_and(|lease| lease.holder != holder && now < lease.until);
            if !held {
                tables.leases.insert(name.to_owned(), Lease { holder, until });
            }
            !held
        });
        Ok(acquired.await)
    }
}

/// Deletes up to `limit` rows whose time is over, and says how many.
fn delete<T: Table>(table: &mut T, limit: usize, is_over: impl Fn(&T::Row) -> bool) -> u64 {
    let mut deleted = 0;
    table.keep(|row| {
        let goes = deleted < limit && is_over(row);
        deleted += usize::from(goes);
        !goes
    });
    deleted as u64
}

trait Table {
    type Row;

    fn keep(&mut self, stays: impl FnMut(&Self::Row) -> bool);
}

impl<K: Ord, V> Table for BTreeMap<K, V> {
    type Row = V;

    fn keep(&mut self, mut stays: impl FnMut(&V) -> bool) {
        self.retain(|_, row| stays(row));
    }
}

impl<K: Eq + Hash, V> Table for HashMap<K, V> {
    type Row = V;

    fn keep(&mut self, mut stays: impl FnMut(&V) -> bool) {
        self.retain(|_, row| stays(row));
    }
}
