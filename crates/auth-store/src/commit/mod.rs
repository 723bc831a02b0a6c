//! What each change means in single statements.
//!
//! An adapter opens a transaction, implements the statements of [`Transaction`] on it, one query each, and hands it to
//! [`apply_all`]. Which of them decides, what is rejected then, and in which order they run, stands here.
//!
//! *Architecture Invariant:* what decides is the row count of a conditional write. What is asked in a transaction is asked of
//! users whom the commit has locked, so it stays true, or tells why something was rejected.

mod factors;
mod keys;
mod pendings;
mod records;
mod roles;
mod sessions;
mod tokens;
mod users;

use async_trait::async_trait;
use auth_core::domain::UserId;
use auth_core::port::{Change, CommitError, Rejected, StoreError};
use tracing::Instrument as _;

pub use factors::FactorStatements;
pub use keys::KeyStatements;
pub use pendings::PendingStatements;
pub use records::RecordStatements;
pub use roles::{Hold, RoleStatements};
pub use sessions::{Rotation, SessionStatements};
pub use tokens::TokenStatements;
pub use users::UserStatements;

use crate::trouble::Trouble;

/// A transaction that is open, and the statements that changes are made of.
///
/// Each is one query; what a method returns as a number is how many rows it changed.
#[async_trait]
pub trait Statements: Send {
    /// What the driver says when a statement fails.
    type Error: Send;

    /// Locks the user's row against other commits until this one ends, where the database has more than one writer.
    async fn lock_user(&mut self, user: UserId) -> Result<(), Self::Error>;
}

/// All statements there are.
pub trait Transaction:
    UserStatements
    + RoleStatements
    + SessionStatements
    + TokenStatements
    + FactorStatements
    + PendingStatements
    + KeyStatements
    + RecordStatements
{
}

impl<T> Transaction for T where
    T: UserStatements
        + RoleStatements
        + SessionStatements
        + TokenStatements
        + FactorStatements
        + PendingStatements
        + KeyStatements
        + RecordStatements
{
}

/// What came of a write under a unique key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It changed so many rows.
    Rows(u64),
    /// Another row has that value already.
    Taken,
}

/// A transaction did not happen.
#[derive(Debug)]
pub enum Failure<E> {
    /// A precondition was false.
    Rejected(Rejected),
    /// The database said so.
    Database(E),
    /// The application's own part of it failed: see [`Refusal`].
    Participant(Box<dyn std::error::Error + Send + Sync>),
}

/// The application's own part of a transaction failed, so nothing of it happens.
#[derive(Debug, thiserror::Error)]
pub enum Refusal<E> {
    /// The database said so. Contention is met by trying again, the participant included.
    #[error(transparent)]
    Database(#[from] E),
    /// The application says so.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl<E> Refusal<E> {
    /// A refusal for the application's own reason, which goes into the log: the client is told nothing but 500.
    pub fn other(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(reason.into())
    }
}

impl<E> From<Refusal<E>> for Failure<E> {
    fn from(refusal: Refusal<E>) -> Self {
        match refusal {
            Refusal::Database(error) => Self::Database(error),
            Refusal::Other(reason) => Self::Participant(reason),
        }
    }
}

/// A driver's errors become ours by `?`.
impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Database(error)
    }
}

impl<E> Failure<E> {
    /// What to make of it; `judge` knows the driver's errors.
    pub fn trouble(&self, judge: impl FnOnce(&E) -> Trouble) -> Trouble {
        match self {
            Self::Rejected(_) | Self::Participant(_) => Trouble::Failure,
            Self::Database(error) => judge(error),
        }
    }

    /// As the port's error, of `store`.
    pub fn into_commit_error(self, store: &'static str, store_error: impl FnOnce(E) -> StoreError) -> CommitError {
        match self {
            Self::Participant(source) => CommitError::Store(StoreError::Failed { store, source }),
            Self::Rejected(rejected) => CommitError::Rejected(rejected),
            Self::Database(error) => CommitError::Store(store_error(error)),
        }
    }
}

/// Runs `commit` in a task of its own: a web framework drops the caller when the client goes away, and a transaction cut short
/// may or may not have happened.
///
/// # Errors
/// Those of the commit, and [`StoreError::Unavailable`] of `store` where the runtime is shutting down.
pub async fn detached(
    store: &'static str,
    commit: impl Future<Output = Result<(), CommitError>> + Send + 'static,
) -> Result<(), CommitError> {
    match tokio::spawn(commit.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(ended) => Err(StoreError::Unavailable { store, source: ended.into() }.into()),
    }
}

/// Applies all of `changes`, in order, after locking the users that they name. Where it fails, the transaction is to be rolled
/// back.
///
/// Statements of a database that blocks may block as well: run this by `Handle::block_on` in a task of
/// `tokio::task::spawn_blocking`, which nobody cuts short.
///
/// # Errors
/// [`Failure::Rejected`] for the first precondition that is false.
pub async fn apply_all<T: Transaction>(tx: &mut T, changes: &[Change]) -> Result<(), Failure<T::Error>> {
    // Whatever else a commit touches belongs to these users, so commits queue up here instead of deadlocking.
    for user in Change::users_to_lock(changes) {
        tx.lock_user(user).await?;
    }
    for change in changes {
        apply(tx, change).await?;
    }
    Ok(())
}

async fn apply<T: Transaction>(tx: &mut T, change: &Change) -> Result<(), Failure<T::Error>> {
    match change {
        Change::CreateUser { user, password } => users::create(tx, user, password.as_ref()).await,
        Change::EditProfile { user, edit } => guard(tx.edit_profile(*user, edit).await, Rejected::User),
        Change::VerifyEmail { user, email, at } => {
            guard(tx.verify_email(*user, email, *at).await, Rejected::EmailChanged)
        }
        Change::SetPassword { user, epoch, password } => {
            guard(tx.set_password(*user, *epoch, password).await, Rejected::Epoch)
        }
        Change::Rehash { user, from, to } => done(tx.rehash(*user, from, to).await),
        Change::ChangeEmail { user, from, to, at } => users::change_email(tx, *user, [from, to], *at).await,
        Change::SetAttributes { user, from, to } => {
            guard(tx.set_attributes(*user, from, to).await, Rejected::Attributes)
        }
        Change::SetStatus { user, status } => users::set_status(tx, *user, *status).await,
        Change::RequireUnverified { user, email } => users::require_unverified(tx, *user, email).await,
        Change::DeleteUser { user } => users::delete(tx, *user).await,
        Change::AdvanceEpoch { user } => guard(tx.advance_epoch(*user).await, Rejected::User),
        Change::AdvanceAllEpochs => done(tx.advance_all_epochs().await),

        Change::Require { user, role } => roles::require(tx, *user, role).await,
        Change::GrantRole { user, role } => roles::grant(tx, *user, role).await,
        Change::RevokeRole { user, role } => roles::revoke(tx, *user, role).await,

        Change::AddPending(pending) => {
            unless_taken(tx.insert_pending(pending).await, Rejected::TooManyTokens).map(drop)
        }
        Change::ClaimPending { pending, limit } => pendings::claim(tx, *pending, *limit).await,
        Change::SpendPending { pending } => pendings::spend(tx, *pending).await,
        Change::DropPendings { email } => done(tx.delete_pendings(email).await),

        Change::IssueToken { token, at_most } => tokens::issue(tx, token, *at_most).await,
        Change::TrimTokens { user, purpose, keep } => done(tx.trim_tokens(*user, *purpose, *keep).await),
        Change::ClaimAttempt { user, token, limit } => {
            guard(tx.claim_attempt(*user, *token, *limit).await, Rejected::Attempts)
        }
        Change::ReturnAttempt { user, token } => done(tx.return_attempt(*user, *token).await),
        Change::RenewCode { user, token, code, until } => {
            guard(tx.renew_code(*user, *token, code, *until).await, Rejected::Token)
        }
        Change::SpendToken { user, token } => guard(tx.delete_token(*user, *token).await, Rejected::Token),
        Change::DropTokens { user, purpose } => done(tx.delete_tokens(*user, *purpose).await),
        // A first use is an insert, which knows no limit.
        Change::Charge { limit: 0, .. } => Err(Failure::Rejected(Rejected::Budget)),
        Change::Charge { subject, budget, limit, window, at } => {
            guard(tx.charge(subject, *budget, *limit, *window, *at).await, Rejected::Budget)
        }
        Change::Forgive { subject, budget } => done(tx.delete_budget(subject, *budget).await),

        Change::SetFactors { user, from, to } => guard(tx.set_factors(*user, from, to).await, Rejected::Factors),
        Change::EnrolTotp(secret) => factors::enrol(tx, secret).await,
        Change::ConfirmTotp { user, factor, step } => factors::confirm(tx, *user, *factor, *step).await,
        Change::SpendTotpStep { user, factor, step } => {
            guard(tx.spend_totp_step(*user, *factor, *step).await, Rejected::Factors)
        }
        Change::ResealTotp { user, factor, from, to } => done(tx.reseal_totp(*user, *factor, from, to).await),
        Change::DropTotp { user } => done(tx.delete_totp(*user, None).await),
        Change::SetRecoveryCodes { user, codes } => factors::set_recovery_codes(tx, *user, codes).await,
        Change::SpendRecoveryCode { user, code } => {
            guard(tx.delete_recovery_code(*user, code).await, Rejected::Factors)
        }

        Change::OpenSession(session) => guard(tx.insert_session(session).await, Rejected::Epoch),
        Change::RotateRefresh { user, session, from, at, idle_until, kept_until } => {
            let rotation = Rotation { at: *at, idle_until: *idle_until, kept_until: *kept_until };
            sessions::rotate_refresh(tx, *user, *session, *from, &rotation).await
        }
        Change::RotateSecret { user, session, from, to, roles_version } => {
            guard(tx.rotate_secret(*user, *session, from, to, *roles_version).await, Rejected::Session)
        }
        Change::TouchSession { user, session, at, idle_until } => {
            done(tx.touch_session(*user, *session, *at, *idle_until).await)
        }
        Change::CloseSession { user, session, at } => {
            guard(tx.close_session(*user, *session, *at).await, Rejected::Session)
        }
        Change::CloseDevice { user, device, at } => done(tx.close_device(*user, *device, *at).await),

        Change::AddSigningKey(key) => unless_taken(tx.insert_signing_key(key).await, Rejected::Key).map(drop),
        Change::ResealSigningKey { number, from, to } => {
            guard(tx.reseal_signing_key(*number, from, to).await, Rejected::Key)
        }
        Change::DropSigningKeys { number } => done(tx.delete_signing_keys(*number).await),
        Change::AddPepperCheck(check) => done(tx.insert_pepper_check(check).await),

        Change::Enqueue(mail) => done(tx.insert_mail(mail).await),
        Change::Record(event) => done(tx.insert_audit_event(event).await),
    }
}

/// The row count is the verdict: of two racing writers one changes the row, and the other finds nothing.
fn guard<E>(outcome: Result<u64, E>, otherwise: Rejected) -> Result<(), Failure<E>> {
    match outcome? {
        0 => Err(Failure::Rejected(otherwise)),
        _ => Ok(()),
    }
}

/// Done, however many rows it changed.
fn done<T, E>(outcome: Result<T, E>) -> Result<(), Failure<E>> {
    Ok(outcome.map(drop)?)
}

/// How many rows a write changed, where its value being another row's already is a rejection.
fn unless_taken<E>(outcome: Result<Written, E>, otherwise: Rejected) -> Result<u64, Failure<E>> {
    match outcome? {
        Written::Rows(rows) => Ok(rows),
        Written::Taken => Err(Failure::Rejected(otherwise)),
    }
}
