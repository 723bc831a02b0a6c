//! What the store does on its own account.

use async_trait::async_trait;
use auth_core::domain::{LeaseId, Timestamp};
use auth_core::port::{Housekeeping, StoreError};

use super::{Store, dialect, sql};

const PING: &str = "select max(version) from auth_schema_version";

// The inner select has a name of its own so that MySQL too takes a limit in there.

const SESSIONS: &str = "
    delete from auth_sessions where id in (select id from (
        select id from auth_sessions where kept_until <= $1 order by kept_until limit $2) as over)";

const TOKENS: &str = "
    delete from auth_one_time_tokens where id in (select id from (
        select id from auth_one_time_tokens where link_until <= $1 and code_until <= $2
        order by link_until limit $3) as over)";

const PENDINGS: &str = "
    delete from auth_pending_registrations where id in (select id from (
        select id from auth_pending_registrations where link_until <= $1 and code_until <= $2
        order by link_until limit $3) as over)";

const BUDGETS: &str = "
    delete from auth_budgets where (subject, budget, window_seconds) in (select subject, budget, window_seconds from (
        select subject, budget, window_seconds from auth_budgets where ends_at <= $1 order by ends_at limit $2) as over)";

const IDEMPOTENCY: &str = "
    delete from auth_idempotency where key_digest in (select key_digest from (
        select key_digest from auth_idempotency where expires_at <= $1 order by expires_at limit $2) as over)";

const DONE_MAIL: &str = "
    delete from auth_mail_outbox where id in (select id from (
        select id from auth_mail_outbox where done_at < $1 order by done_at limit $2) as over)";

/// Not from under a worker that is sending: its lease ends soon enough.
const EXPIRED_MAIL: &str = "
    update auth_mail_outbox set state = 'dead', body = null, lease = null, done_at = $1, reason = 'expired'
    where id in (select id from (
        select id from auth_mail_outbox
        where state = 'queued' and expires_at <= $2 and (lease is null or due_at <= $3)
        order by expires_at limit $4) as over)";

const DEAD_LETTERS: &str = "
    update auth_mail_outbox set body = null where id in (select id from (
        select id from auth_mail_outbox where state = 'dead' and body is not null and expires_at <= $1
        order by expires_at limit $2) as over)";

#[async_trait]
impl Housekeeping for Store {
    async fn ping(&self) -> Result<(), StoreError> {
        self.rows(|| sql(PING)).await.map(drop)
    }

    async fn missing_migrations(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.check_schema().await?.iter().map(ToString::to_string).collect())
    }

    async fn sweep(&self, now: Timestamp, mail_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let (now, mail_before, limit) = (now.as_micros(), mail_before.as_micros(), i64::from(limit));
        Ok(self.execute(|| sql(SESSIONS).bind(now).bind(limit)).await?
            + self.execute(|| sql(TOKENS).bind(now).bind(now).bind(limit)).await?
            + self.execute(|| sql(PENDINGS).bind(now).bind(now).bind(limit)).await?
            + self.execute(|| sql(BUDGETS).bind(now).bind(limit)).await?
            + self.execute(|| sql(IDEMPOTENCY).bind(now).bind(limit)).await?
            + self.execute(|| sql(DONE_MAIL).bind(mail_before).bind(limit)).await?
            + self.execute(|| sql(EXPIRED_MAIL).bind(now).bind(now).bind(now).bind(limit)).await?
            + self.execute(|| sql(DEAD_LETTERS).bind(now).bind(limit)).await?)
    }

    async fn acquire(&self, name: &str, holder: LeaseId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let query =
            || sql(dialect::ACQUIRE).bind(name).bind(holder.as_uuid()).bind(until.as_micros()).bind(now.as_micros());
        Ok(self.execute(query).await? == 1)
    }
}
