//! What the store does on its own account.

use async_trait::async_trait;
use auth_core::domain::{LeaseId, Timestamp};
use auth_core::port::{Housekeeping, StoreError};

use super::dialect::first_of;
use super::{Store, dialect, sql};

const PING: &str = "select max(version) from auth_schema_version";

const SESSIONS: &str =
    concat!("delete from auth_sessions ", first_of!("auth_sessions", "id", "kept_until <= $1", "kept_until", "$2"));

const TOKENS: &str = concat!(
    "delete from auth_one_time_tokens ",
    first_of!("auth_one_time_tokens", "id", "link_until <= $1 and code_until <= $2", "link_until", "$3")
);

const PENDINGS: &str = concat!(
    "delete from auth_pending_registrations ",
    first_of!("auth_pending_registrations", "id", "link_until <= $1 and code_until <= $2", "link_until", "$3")
);

const ENROLMENTS: &str = concat!(
    "delete from auth_totp_secrets ",
    first_of!("auth_totp_secrets", "id", "pending_until <= $1", "pending_until", "$2")
);

const BUDGETS: &str = concat!(
    "delete from auth_budgets ",
    first_of!("auth_budgets", "subject, budget, window_seconds", "ends_at <= $1", "ends_at", "$2")
);

const IDEMPOTENCY: &str = concat!(
    "delete from auth_idempotency ",
    first_of!("auth_idempotency", "key_digest", "expires_at <= $1", "expires_at", "$2")
);

const DONE_MAIL: &str =
    concat!("delete from auth_mail_outbox ", first_of!("auth_mail_outbox", "id", "done_at < $1", "done_at", "$2"));

/// Not from under a worker that is sending: its lease ends soon enough.
const EXPIRED_MAIL: &str = concat!(
    "update auth_mail_outbox set state = 'dead', body = null, lease = null, done_at = $1, reason = 'expired' ",
    first_of!(
        "auth_mail_outbox",
        "id",
        "state = 'queued' and expires_at <= $2 and (lease is null or due_at <= $3)",
        "expires_at",
        "$4"
    )
);

const DEAD_LETTERS: &str = concat!(
    "update auth_mail_outbox set body = null ",
    first_of!("auth_mail_outbox", "id", "state = 'dead' and body is not null and expires_at <= $1", "expires_at", "$2")
);

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
            + self.execute(|| sql(ENROLMENTS).bind(now).bind(limit)).await?
            + self.execute(|| sql(BUDGETS).bind(now).bind(limit)).await?
            + self.execute(|| sql(IDEMPOTENCY).bind(now).bind(limit)).await?
            + self.execute(|| sql(DONE_MAIL).bind(mail_before).bind(limit)).await?
            + self.execute(|| sql(EXPIRED_MAIL).bind(now).bind(now).bind(now).bind(limit)).await?
            + self.execute(|| sql(DEAD_LETTERS).bind(now).bind(limit)).await?)
    }

    async fn acquire(&self, name: &str, holder: LeaseId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        dialect::writes::acquire(self, name, holder, now, until).await
    }
}
