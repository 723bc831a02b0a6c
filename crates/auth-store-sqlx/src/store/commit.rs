//! Applying lists of changes.

mod keys;
mod pendings;
mod roles;
mod sessions;
mod tokens;
mod users;

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, SealedMail, UserId};
use auth_core::port::{Change, Commit, CommitError, Rejected, StoreError};
use sqlx::Connection as _;
use tracing::Instrument as _;

use super::retry::AsSqlError;
use super::{Connection, Statement, Store, bounded, dialect, patiently, sql, store_error};

#[async_trait]
impl Commit for Store {
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        let (store, changes) = (self.clone(), changes.to_vec());
        // In a task of its own: a web framework drops the caller when the client goes away, and a transaction cut short
        // may or may not have happened.
        let task = async move { patiently(|| store.transact(&changes)).await };
        match tokio::spawn(task.in_current_span()).await {
            Ok(outcome) => outcome.map_err(CommitError::from),
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            // The runtime is shutting down.
            Err(ended) => {
                Err(StoreError::Unavailable { store: dialect::DIALECT.as_str(), source: ended.into() }.into())
            }
        }
    }
}

impl Store {
    /// One transaction: all of `changes` or none.
    async fn transact(&self, changes: &[Change]) -> Result<(), Failure> {
        let mut connection = self.writes.acquire().await?;
        bounded(&mut connection, async |connection| {
            let mut tx = connection.begin_with(dialect::BEGIN).await?;
            match apply_all(&mut tx, changes).await {
                Ok(()) => Ok(tx.commit().await?),
                Err(failure) => {
                    // Now, not when the connection is back in the pool: others wait for these locks.
                    tx.rollback().await.ok();
                    Err(failure)
                }
            }
        })
        .await
    }
}

async fn apply_all(tx: &mut Connection, changes: &[Change]) -> Result<(), Failure> {
    if let Some(lock) = dialect::LOCK_USER {
        // Whatever else a commit touches belongs to these users, so commits queue up here instead of deadlocking.
        for user in Change::users_to_lock(changes) {
            sql(lock).bind(user.as_uuid()).execute(&mut *tx).await?;
        }
    }
    for change in changes {
        apply(tx, change).await?;
    }
    Ok(())
}

/// A transaction did not happen.
enum Failure {
    Rejected(Rejected),
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Rejected(rejected) => Self::Rejected(rejected),
            Failure::Sql(error) => Self::Store(store_error(error)),
        }
    }
}

impl AsSqlError for Failure {
    fn as_sql_error(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Rejected(_) => None,
            Self::Sql(error) => Some(error),
        }
    }
}

/// Runs `query` for its effect, whatever that is.
async fn run(tx: &mut Connection, query: Statement) -> Result<u64, Failure> {
    Ok(query.execute(tx).await?.rows_affected())
}

/// The row count is the verdict: of two racing writers one changes the row, and the other finds nothing.
async fn guard(tx: &mut Connection, query: Statement, otherwise: Rejected) -> Result<(), Failure> {
    match run(tx, query).await? {
        0 => Err(Failure::Rejected(otherwise)),
        _ => Ok(()),
    }
}

/// Whether a query finds anything. To be asked of what the commit has locked, or to tell why something was rejected.
async fn finds(tx: &mut Connection, query: Statement) -> Result<bool, Failure> {
    Ok(query.fetch_optional(tx).await?.is_some())
}

/// What came of a write, where `unique` having its value already is a rejection.
fn unless_taken<T>(outcome: Result<T, Failure>, unique: &str, otherwise: Rejected) -> Result<T, Failure> {
    match outcome {
        Err(Failure::Sql(sqlx::Error::Database(error))) if dialect::violates(error.as_ref(), unique) => {
            Err(Failure::Rejected(otherwise))
        }
        outcome => outcome,
    }
}

async fn apply(tx: &mut Connection, change: &Change) -> Result<(), Failure> {
    match change {
        Change::CreateUser { user, password } => users::create(tx, user, password.as_ref()).await,
        Change::EditProfile { user, edit } => users::edit_profile(tx, *user, edit).await,
        Change::VerifyEmail { user, email, at } => users::verify_email(tx, *user, email, *at).await,
        Change::SetPassword { user, epoch, password } => users::set_password(tx, *user, *epoch, password).await,
        Change::Rehash { user, from, to } => users::rehash(tx, *user, from, to).await,
        Change::ChangeEmail { user, from, to, at } => users::change_email(tx, *user, from, to, *at).await,
        Change::SetAttributes { user, from, to } => users::set_attributes(tx, *user, from, to).await,
        Change::Require { user, role } => roles::require(tx, *user, role).await,
        Change::GrantRole { user, role } => roles::grant(tx, *user, role).await,
        Change::RevokeRole { user, role } => roles::revoke(tx, *user, role).await,
        Change::DeleteUser { user } => users::delete(tx, *user).await,
        Change::SetStatus { user, status } => users::set_status(tx, *user, *status).await,
        Change::AdvanceEpoch { user } => users::advance_epoch(tx, *user).await,
        Change::AdvanceAllEpochs => users::advance_all_epochs(tx).await,

        Change::AddPending(pending) => pendings::add(tx, pending).await,
        Change::ClaimPending { pending, limit } => pendings::claim(tx, *pending, *limit).await,
        Change::SpendPending { pending } => pendings::spend(tx, *pending).await,
        Change::DropPendings { email } => pendings::drop_all(tx, email).await,

        Change::IssueToken { token, at_most } => tokens::issue(tx, token, *at_most).await,
        Change::TrimTokens { user, purpose, keep } => tokens::trim(tx, *user, *purpose, *keep).await,
        Change::ClaimAttempt { user, token, limit } => tokens::claim_attempt(tx, *user, *token, *limit).await,
        Change::ReturnAttempt { user, token } => tokens::return_attempt(tx, *user, *token).await,
        Change::SpendToken { user, token } => tokens::spend(tx, *user, *token).await,
        Change::DropTokens { user, purpose } => tokens::drop_all(tx, *user, *purpose).await,
        // A first use is an insert, which knows no limit.
        Change::Charge { limit: 0, .. } => Err(Failure::Rejected(Rejected::Budget)),
        Change::Charge { subject, budget, limit, window, at } => {
            let now = at.as_micros();
            let query = sql(dialect::CHARGE)
                .bind(subject.as_uuid())
                .bind(budget.as_str())
                .bind(i64::try_from(window.as_secs()).unwrap_or(i64::MAX))
                .bind((*at + *window).as_micros());
            let query = query.bind(now).bind(now).bind(now).bind(i64::from(*limit));
            guard(tx, query, Rejected::Budget).await
        }
        Change::Forgive { subject, budget } => {
            const FORGIVE: &str = "delete from auth_budgets where subject = $1 and budget = $2";
            run(tx, sql(FORGIVE).bind(subject.as_uuid()).bind(budget.as_str())).await.map(drop)
        }

        Change::OpenSession(session) => sessions::open(tx, session).await,
        Change::RotateRefresh { user, session, from, at, idle_until, kept_until } => {
            sessions::rotate_refresh(tx, *user, *session, *from, *at, [*idle_until, *kept_until]).await
        }
        Change::RotateSecret { user, session, from, to, roles_version } => {
            sessions::rotate_secret(tx, *user, *session, [from, to], *roles_version).await
        }
        Change::TouchSession { user, session, at, idle_until } => {
            sessions::touch(tx, *user, *session, *at, *idle_until).await
        }
        Change::CloseSession { user, session, at } => sessions::close(tx, *user, *session, *at).await,

        Change::AddSigningKey(key) => keys::add(tx, key).await,
        Change::ResealSigningKey { number, from, to } => keys::reseal(tx, *number, from, to).await,
        Change::DropSigningKeys { number } => keys::drop_below(tx, *number).await,
        Change::AddPepperCheck(check) => {
            let query = sql(dialect::ADD_PEPPER_CHECK)
                .bind(check.key.as_bytes().as_slice())
                .bind(check.mac.to_bytes().to_vec());
            run(tx, query).await.map(drop)
        }

        Change::Enqueue(mail) => enqueue(tx, mail).await,
        Change::Record(event) => record(tx, event).await,
    }
}

/// A user who is gone meanwhile is named no more: what was decided before must not fail for that.
async fn enqueue(tx: &mut Connection, mail: &SealedMail) -> Result<(), Failure> {
    const ENQUEUE: &str = "
        insert into auth_mail_outbox (id, user_id, recipient, recipient_canonical, kind, body, state, created_at,
            expires_at, due_at, attempts)
        values ($1, (select u.id from auth_users u where u.id = $2), $3, $4, $5, $6, 'queued', $7, $8, $9, 0)";
    let query = sql(ENQUEUE)
        .bind(mail.id.as_uuid())
        .bind(mail.user.map(UserId::as_uuid))
        .bind(mail.to.as_str())
        .bind(mail.to.canonical())
        .bind(mail.kind.as_str())
        .bind(mail.body.as_bytes())
        .bind(mail.created_at.as_micros())
        .bind(mail.expires_at.as_micros())
        .bind(mail.created_at.as_micros());
    run(tx, query).await.map(drop)
}

async fn record(tx: &mut Connection, event: &AuditEvent) -> Result<(), Failure> {
    const RECORD: &str = "
        insert into auth_audit_events (id, occurred_at, kind, actor_id, subject_id, ip, user_agent, request_id, detail)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let detail = serde_json::to_string(&event.detail).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let query = sql(RECORD)
        .bind(event.id.as_uuid())
        .bind(event.at.as_micros())
        .bind(event.kind.as_str())
        .bind(event.actor.map(UserId::as_uuid))
        .bind(event.subject.map(UserId::as_uuid))
        .bind(event.ip.map(|ip| ip.to_string()))
        .bind(event.user_agent.as_deref())
        .bind(event.request_id.as_deref())
        .bind(detail);
    run(tx, query).await.map(drop)
}
