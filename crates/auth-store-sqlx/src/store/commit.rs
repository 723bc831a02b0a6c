//! Applying lists of changes.

use async_trait::async_trait;
use auth_core::domain::{AuditEvent, PasswordHash, SealedMail, Session, Status, Timestamp, Token, User, UserId};
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

/// Inserts a row, unless `unique` has its value already.
async fn insert(tx: &mut Connection, query: Statement, unique: &str, otherwise: Rejected) -> Result<(), Failure> {
    match run(tx, query).await {
        Err(Failure::Sql(sqlx::Error::Database(error))) if dialect::violates(error.as_ref(), unique) => {
            Err(Failure::Rejected(otherwise))
        }
        outcome => outcome.map(drop),
    }
}

async fn apply(tx: &mut Connection, change: &Change) -> Result<(), Failure> {
    match change {
        Change::CreateUser { user, password } => create_user(tx, user, password).await,
        Change::EditProfile { user, edit } => {
            const EDIT: &str = "
                update auth_users set
                    name = case when $1 then $2 else name end,
                    image_url = case when $3 then $4 else image_url end,
                    phone_number = case when $5 then $6 else phone_number end,
                    locale = case when $7 then $8 else locale end
                where id = $9";
            let mut query = sql(EDIT);
            for field in [&edit.name, &edit.image_url, &edit.phone_number, &edit.locale] {
                query = query.bind(field.is_some()).bind(field.as_ref().and_then(Option::as_deref));
            }
            guard(tx, query.bind(user.as_uuid()), Rejected::User).await
        }
        Change::VerifyEmail { user, email, at } => {
            const VERIFY: &str = "
                update auth_users set email_verified_at = coalesce(email_verified_at, $1)
                where id = $2 and email_canonical = $3";
            let query = sql(VERIFY).bind(at.as_micros()).bind(user.as_uuid()).bind(email.canonical());
            guard(tx, query, Rejected::EmailChanged).await
        }
        Change::SetPassword { user, epoch, password } => {
            const SET: &str =
                "update auth_users set password_hash = $1, epoch = epoch + 1 where id = $2 and epoch = $3";
            let query = sql(SET).bind(password.as_phc()).bind(user.as_uuid()).bind(i64::from(epoch.number()));
            guard(tx, query, Rejected::Epoch).await
        }
        Change::Rehash { user, from, to } => {
            const SET: &str = "update auth_users set password_hash = $1 where id = $2 and password_hash = $3";
            run(tx, sql(SET).bind(to.as_phc()).bind(user.as_uuid()).bind(from.as_phc())).await.map(drop)
        }
        Change::SetStatus { user, status } => {
            const SET: &str = "update auth_users set status = $1, epoch = epoch + $2 where id = $3 and status <> $4";
            let epochs: i64 = match status {
                Status::Active => 0,
                Status::Suspended => 1,
            };
            let query = sql(SET).bind(status.as_str()).bind(epochs).bind(user.as_uuid()).bind(status.as_str());
            guard(tx, query, Rejected::User).await
        }
        Change::AdvanceEpoch { user } => {
            const ADVANCE: &str = "update auth_users set epoch = epoch + 1 where id = $1";
            guard(tx, sql(ADVANCE).bind(user.as_uuid()), Rejected::User).await
        }

        Change::IssueToken { token, at_most } => issue_token(tx, token, *at_most).await,
        Change::TrimTokens { user, purpose, keep } => {
            const TRIM: &str = "
                delete from auth_one_time_tokens where user_id = $1 and purpose = $2 and id not in (select id from (
                    select id from auth_one_time_tokens where user_id = $3 and purpose = $4
                    order by created_at desc, id desc limit $5) as kept)";
            let (user, purpose) = (user.as_uuid(), purpose.as_str());
            let query = sql(TRIM).bind(user).bind(purpose).bind(user).bind(purpose).bind(i64::from(*keep));
            run(tx, query).await.map(drop)
        }
        Change::ClaimAttempt { user, token, limit } => {
            const CLAIM: &str = "
                update auth_one_time_tokens set attempts = attempts + 1
                where id = $1 and user_id = $2 and attempts < $3";
            let query = sql(CLAIM).bind(token.as_uuid()).bind(user.as_uuid()).bind(i64::from(*limit));
            guard(tx, query, Rejected::Attempts).await
        }
        Change::ReturnAttempt { user, token } => {
            const RETURN: &str = "
                update auth_one_time_tokens set attempts = attempts - 1
                where id = $1 and user_id = $2 and attempts > 0";
            run(tx, sql(RETURN).bind(token.as_uuid()).bind(user.as_uuid())).await.map(drop)
        }
        Change::SpendToken { user, token } => {
            const SPEND: &str = "delete from auth_one_time_tokens where id = $1 and user_id = $2";
            guard(tx, sql(SPEND).bind(token.as_uuid()).bind(user.as_uuid()), Rejected::Token).await
        }
        Change::DropTokens { user, purpose } => {
            const DROP: &str = "delete from auth_one_time_tokens where user_id = $1 and purpose = $2";
            run(tx, sql(DROP).bind(user.as_uuid()).bind(purpose.as_str())).await.map(drop)
        }
        // A first use is an insert, which knows no limit.
        Change::Charge { limit: 0, .. } => Err(Failure::Rejected(Rejected::Budget)),
        Change::Charge { user, budget, limit, window, at } => {
            let now = at.as_micros();
            let query = sql(dialect::CHARGE)
                .bind(user.as_uuid())
                .bind(budget.as_str())
                .bind(i64::try_from(window.as_secs()).unwrap_or(i64::MAX))
                .bind((*at + *window).as_micros());
            let query = query.bind(now).bind(now).bind(now).bind(i64::from(*limit));
            match guard(tx, query, Rejected::Budget).await {
                Err(Failure::Sql(sqlx::Error::Database(error))) if error.is_foreign_key_violation() => {
                    Err(Failure::Rejected(Rejected::User))
                }
                outcome => outcome,
            }
        }
        Change::Forgive { user, budget } => {
            const FORGIVE: &str = "delete from auth_budgets where user_id = $1 and budget = $2";
            run(tx, sql(FORGIVE).bind(user.as_uuid()).bind(budget.as_str())).await.map(drop)
        }

        Change::OpenSession(session) => open_session(tx, session).await,
        Change::RotateRefresh { user, session, from, at, idle_until, kept_until } => {
            const ROTATE: &str = "
                update auth_sessions set refresh_counter = $1, rotated_at = $2, last_seen_at = $3, idle_until = $4,
                    kept_until = $5
                where id = $6 and user_id = $7 and refresh_counter = $8 and closed_at is null
                    and epoch = (select u.epoch from auth_users u where u.id = auth_sessions.user_id)";
            let next = from.checked_add(1).ok_or(Failure::Rejected(Rejected::Session))?;
            let query = sql(ROTATE)
                .bind(i64::from(next))
                .bind(at.as_micros())
                .bind(at.as_micros())
                .bind(idle_until.as_micros())
                .bind(kept_until.as_micros())
                .bind(session.as_uuid())
                .bind(user.as_uuid())
                .bind(i64::from(*from));
            guard(tx, query, Rejected::Session).await
        }
        Change::TouchSession { user, session, at, idle_until } => {
            const TOUCH: &str = "
                update auth_sessions set last_seen_at = $1, idle_until = $2
                where id = $3 and user_id = $4 and closed_at is null and last_seen_at <= $5";
            let query = sql(TOUCH)
                .bind(at.as_micros())
                .bind(idle_until.as_micros())
                .bind(session.as_uuid())
                .bind(user.as_uuid())
                .bind(at.as_micros());
            run(tx, query).await.map(drop)
        }
        Change::CloseSession { user, session, at } => {
            const CLOSE: &str =
                "update auth_sessions set closed_at = $1 where id = $2 and user_id = $3 and closed_at is null";
            let query = sql(CLOSE).bind(at.as_micros()).bind(session.as_uuid()).bind(user.as_uuid());
            guard(tx, query, Rejected::Session).await
        }

        Change::AddSigningKey(key) => {
            const ADD: &str = "
                insert into auth_signing_keys (number, kid, public_key, private_key, created_at)
                values ($1, $2, $3, $4, $5)";
            let query = sql(ADD)
                .bind(i64::from(key.number))
                .bind(key.kid.as_str())
                .bind(key.public.as_slice())
                .bind(key.private.as_bytes())
                .bind(key.created_at.as_micros());
            insert(tx, query, dialect::KEY_NUMBER_TAKEN, Rejected::Key).await
        }
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

async fn create_user(tx: &mut Connection, user: &User, password: &PasswordHash) -> Result<(), Failure> {
    const CREATE: &str = "
        insert into auth_users (id, email, email_canonical, email_verified_at, password_hash, name, image_url,
            phone_number, locale, status, epoch, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    const GRANT: &str = "insert into auth_user_roles (user_id, role) values ($1, $2)";
    let query = sql(CREATE)
        .bind(user.id.as_uuid())
        .bind(user.email.as_str())
        .bind(user.email.canonical())
        .bind(user.email_verified_at.map(Timestamp::as_micros))
        .bind(password.as_phc())
        .bind(user.profile.name.as_deref())
        .bind(user.profile.image_url.as_deref())
        .bind(user.profile.phone_number.as_deref())
        .bind(user.profile.locale.as_deref())
        .bind(user.status.as_str())
        .bind(i64::from(user.epoch.number()))
        .bind(user.created_at.as_micros());
    insert(tx, query, dialect::EMAIL_TAKEN, Rejected::EmailTaken).await?;
    for role in &user.roles {
        run(tx, sql(GRANT).bind(user.id.as_uuid()).bind(role.as_str())).await?;
    }
    Ok(())
}

async fn issue_token(tx: &mut Connection, token: &Token, at_most: u32) -> Result<(), Failure> {
    const ISSUE: &str = "
        insert into auth_one_time_tokens (id, user_id, purpose, email, email_canonical, link_digest, link_until,
            code_mac, code_until, attempts, requested_from, created_at)
        select $1, u.id, $2, $3, u.email_canonical, $4, $5, $6, $7, $8, $9, $10 from auth_users u
        where u.id = $11 and u.email_canonical = $12 and (
            select count(*) from auth_one_time_tokens t
            where t.user_id = u.id and t.purpose = $13 and t.link_until > $14) < $15";
    const STILL_THERE: &str = "select 1 from auth_users where id = $1 and email_canonical = $2";
    let query = sql(ISSUE)
        .bind(token.id.as_uuid())
        .bind(token.purpose.as_str())
        .bind(token.email.as_str())
        .bind(token.link.as_bytes().as_slice())
        .bind(token.link_until.as_micros())
        .bind(token.code.to_bytes().to_vec())
        .bind(token.code_until.as_micros())
        .bind(i64::from(token.attempts))
        .bind(token.requested_from.as_bytes().as_slice())
        .bind(token.created_at.as_micros())
        .bind(token.user.as_uuid())
        .bind(token.email.canonical())
        .bind(token.purpose.as_str())
        .bind(token.created_at.as_micros())
        .bind(i64::from(at_most));
    match guard(tx, query, Rejected::EmailChanged).await {
        // Which of the two preconditions it was: asked only where one was false.
        Err(Failure::Rejected(_)) => {
            let user = sql(STILL_THERE).bind(token.user.as_uuid()).bind(token.email.canonical());
            let is_there = user.fetch_optional(tx).await?.is_some();
            Err(Failure::Rejected(if is_there { Rejected::TooManyTokens } else { Rejected::EmailChanged }))
        }
        outcome => outcome,
    }
}

async fn open_session(tx: &mut Connection, session: &Session) -> Result<(), Failure> {
    const OPEN: &str = "
        insert into auth_sessions (id, user_id, epoch, refresh_salt, refresh_counter, rotated_at, created_at,
            authenticated_at, last_seen_at, idle_until, ends_at, kept_until, methods, device_id, ip,
            user_agent, closed_at)
        select $1, u.id, u.epoch, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 from auth_users u
        where u.id = $16 and u.epoch = $17 and u.status = 'active'";
    let query = sql(OPEN)
        .bind(session.id.as_uuid())
        .bind(session.refresh.salt.as_slice())
        .bind(i64::from(session.refresh.counter))
        .bind(session.refresh.rotated_at.as_micros())
        .bind(session.created_at.as_micros())
        .bind(session.authenticated_at.as_micros())
        .bind(session.last_seen_at.as_micros())
        .bind(session.idle_until.as_micros())
        .bind(session.ends_at.as_micros())
        .bind(session.kept_until.as_micros())
        .bind(session.methods.to_text())
        .bind(session.device.as_uuid())
        .bind(session.ip.map(|ip| ip.to_string()))
        .bind(session.user_agent.as_deref())
        .bind(session.closed_at.map(Timestamp::as_micros))
        .bind(session.user.as_uuid())
        .bind(i64::from(session.epoch.number()));
    guard(tx, query, Rejected::Epoch).await
}

async fn enqueue(tx: &mut Connection, mail: &SealedMail) -> Result<(), Failure> {
    const ENQUEUE: &str = "
        insert into auth_mail_outbox (id, recipient, recipient_canonical, kind, body, state, created_at, expires_at,
            due_at, attempts)
        values ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, 0)";
    let query = sql(ENQUEUE)
        .bind(mail.id.as_uuid())
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
