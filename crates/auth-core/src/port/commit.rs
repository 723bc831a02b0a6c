//! The one write port.

use async_trait::async_trait;
use std::fmt::Debug;
use std::time::Duration;

use super::{Outdated, StoreError};
use crate::domain::{
    Attributes, AuditEvent, Budget, DeviceId, Digest, Email, Epoch, FactorId, Factors, Mac, PasswordHash, Pending,
    PepperCheck, ProfileEdit, Purpose, Role, Sealed, SealedMail, Session, SessionId, SigningKey, Status, Subject,
    Timestamp, Token, TokenId, TotpSecret, User, UserId,
};

/// Applies lists of changes, each list in one transaction.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Commit: Debug + Send + Sync {
    /// Applies all of `changes`, in order, or none.
    ///
    /// - A change that carries a precondition and finds it false rejects the whole list.
    /// - Of concurrent commits that spend the same thing, at most one succeeds, on every backend's default isolation
    ///   level: preconditions are conditional writes whose row count is the verdict.
    /// - The users that the changes name, except those created in the list, are locked first, in order of id, so that
    ///   commits of one user queue up instead of deadlocking.
    /// - Contention (deadlock, busy, serialisation) is retried inside; a dropped caller doesn't cut it short.
    ///
    /// # Errors
    /// [`CommitError::Rejected`] names the first precondition that was false; [`CommitError::Store`] when the store
    /// could not say. Nothing has changed in either case, except that after a lost connection it may be unknown.
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError>;
}

/// One change of state.
///
/// Exhaustive on purpose: a new one must not compile until every store has it.
#[derive(Debug, Clone)]
pub enum Change {
    /// A user comes into being, with roles, and mostly with a password. Precondition: the address is free
    /// ([`Rejected::EmailTaken`]).
    CreateUser {
        /// The user; its epoch is [`Epoch::FIRST`].
        user: User,
        /// The password's hash.
        password: Option<PasswordHash>,
    },
    /// Changes the fields of the profile that the edit names, and no others. Precondition: the user exists.
    EditProfile {
        /// Whose.
        user: UserId,
        /// What to change.
        edit: ProfileEdit,
    },
    /// Marks the address as proved, at `at` unless it was before. Precondition: the user's address is still `email`
    /// ([`Rejected::EmailChanged`]).
    VerifyEmail {
        /// Whose.
        user: UserId,
        /// The address that was proved.
        email: Email,
        /// When.
        at: Timestamp,
    },
    /// Replaces the password and advances the epoch by one: every session is dead with it. Precondition: the user's
    /// epoch is `epoch` ([`Rejected::Epoch`]).
    SetPassword {
        /// Whose.
        user: UserId,
        /// The epoch that the decision was made in.
        epoch: Epoch,
        /// The new password's hash.
        password: PasswordHash,
    },
    /// Replaces a hash by a stronger one of the same password, if it is still `from`. No precondition: when it isn't, a
    /// concurrent change of password has won, and nothing happens.
    Rehash {
        /// Whose.
        user: UserId,
        /// The hash that was verified.
        from: PasswordHash,
        /// What replaces it.
        to: PasswordHash,
    },
    /// Moves the account from address `from` to `to`, which counts as proved at `at`. Preconditions: the user's address is
    /// still `from` ([`Rejected::EmailChanged`]), and nobody else has `to` ([`Rejected::EmailTaken`]).
    ChangeEmail {
        /// Whose.
        user: UserId,
        /// The address before.
        from: Email,
        /// The address from now on.
        to: Email,
        /// When.
        at: Timestamp,
    },
    /// Replaces the application's own fields. Precondition: they are still `from` ([`Rejected::Attributes`]).
    SetAttributes {
        /// Whose.
        user: UserId,
        /// The fields that the decision was made about.
        from: Attributes,
        /// The fields from now on.
        to: Attributes,
    },
    /// Changes nothing. Precondition: the user is active and holds the role ([`Rejected::Role`]). What somebody does by
    /// virtue of a role they must still hold when it happens.
    Require {
        /// Who acts.
        user: UserId,
        /// By virtue of what.
        role: Role,
    },
    /// Changes nothing. Precondition: the user's address is `email`, and was never proved ([`Rejected::EmailTaken`]). What makes
    /// room for somebody who has proved it must not be done to somebody who does so at the same moment.
    RequireUnverified {
        /// Whose.
        user: UserId,
        /// The address.
        email: Email,
    },
    /// The user holds a role from now on, and their `roles_version` advances by one; nothing happens where they hold it
    /// already. A role that nobody ever held comes into being. Precondition: the user exists ([`Rejected::User`]).
    GrantRole {
        /// Whose.
        user: UserId,
        /// Which.
        role: Role,
    },
    /// The user doesn't hold a role any more, and their `roles_version` advances by one; nothing happens where they don't
    /// hold it. Preconditions: the user exists ([`Rejected::User`]) and isn't the last active holder of a role that must
    /// have one ([`Rejected::LastHolder`]).
    RevokeRole {
        /// Whose.
        user: UserId,
        /// Which.
        role: Role,
    },
    /// Deletes a user with all that is theirs: sessions, tokens, roles, budgets, mail not yet sent. Audit entries by or
    /// about them lose address, agent, request and detail. Preconditions: the user exists ([`Rejected::User`]) and isn't the
    /// last active holder of a role that must have one ([`Rejected::LastHolder`]).
    DeleteUser {
        /// Who.
        user: UserId,
    },
    /// Makes a suspended user active, or suspends an active one and advances the epoch by one. Preconditions: the user exists
    /// and has another status ([`Rejected::User`]): what hangs on a status changes once; nobody is suspended who is the last
    /// active holder of a role that must have one ([`Rejected::LastHolder`]).
    SetStatus {
        /// Whose.
        user: UserId,
        /// The new status.
        status: Status,
    },
    /// Advances the epoch by one: every session is dead. Precondition: the user exists.
    AdvanceEpoch {
        /// Whose.
        user: UserId,
    },

    /// Advances everybody's epoch by one: every session there is is dead.
    AdvanceAllEpochs,

    /// Stores a registration that waits for its proof. Precondition: no other record of its address takes its slot
    /// ([`Rejected::TooManyTokens`]).
    AddPending(Pending),
    /// Counts one attempt at a waiting registration's code. Precondition: it exists and had fewer than `limit`
    /// ([`Rejected::Attempts`]).
    ClaimPending {
        /// Which.
        pending: TokenId,
        /// How many are allowed.
        limit: u32,
    },
    /// Deletes a waiting registration. Precondition: it exists ([`Rejected::Token`]).
    SpendPending {
        /// Which.
        pending: TokenId,
    },
    /// Deletes all waiting registrations of an address.
    DropPendings {
        /// Which address.
        email: Email,
    },

    /// Stores a one-time token. Preconditions: the user exists, their address is the one that the token is bound to, if it is
    /// to any ([`Rejected::EmailChanged`]), and fewer than `at_most` of their tokens for that purpose have a link or code
    /// that lives on after the token's creation ([`Rejected::TooManyTokens`]).
    IssueToken {
        /// The token.
        token: Token,
        /// How many may live at once, this one included.
        at_most: u32,
    },
    /// Deletes all but the newest `keep` tokens of that purpose.
    TrimTokens {
        /// Whose.
        user: UserId,
        /// Which.
        purpose: Purpose,
        /// How many stay.
        keep: u32,
    },
    /// Counts one attempt at a token's code. Precondition: it exists and had fewer than `limit` ([`Rejected::Attempts`]).
    ClaimAttempt {
        /// Whose.
        user: UserId,
        /// Which.
        token: TokenId,
        /// How many are allowed.
        limit: u32,
    },
    /// Takes one claimed attempt back. Nothing happens where there is none.
    ReturnAttempt {
        /// Whose.
        user: UserId,
        /// Which.
        token: TokenId,
    },
    /// Gives a token another code; the attempts at it stay counted. Precondition: it exists ([`Rejected::Token`]).
    RenewCode {
        /// Whose.
        user: UserId,
        /// Which.
        token: TokenId,
        /// The new code.
        code: Mac,
        /// It is dead from here on.
        until: Timestamp,
    },
    /// Deletes a token. Precondition: it exists ([`Rejected::Token`]).
    SpendToken {
        /// Whose.
        user: UserId,
        /// Which.
        token: TokenId,
    },
    /// Deletes all tokens of that purpose.
    DropTokens {
        /// Whose.
        user: UserId,
        /// Which.
        purpose: Purpose,
    },
    /// Counts one use of a budget. Precondition: fewer than `limit` uses since the window began ([`Rejected::Budget`]).
    /// A window begins with its first use and ends `window` later; windows of different lengths count apart.
    Charge {
        /// Whose.
        subject: Subject,
        /// Which.
        budget: Budget,
        /// How many uses are allowed.
        limit: u32,
        /// How long a window lasts, in whole seconds.
        window: Duration,
        /// Now.
        at: Timestamp,
    },
    /// Forgets all uses of a budget.
    Forgive {
        /// Whose.
        subject: Subject,
        /// Which.
        budget: Budget,
    },

    /// Replaces the second factors that are on. Precondition: they are still `from` ([`Rejected::Factors`]), so that of two
    /// changes at once each is decided about what the other left.
    SetFactors {
        /// Whose.
        user: UserId,
        /// The factors that the decision was made about.
        from: Factors,
        /// The factors from now on.
        to: Factors,
    },
    /// Stores what an authenticator app is to share with us, in place of an enrolment that wasn't confirmed. Precondition: the
    /// user exists ([`Rejected::User`]).
    EnrolTotp(TotpSecret),
    /// Switches an enrolled secret on, in place of the one that was. Precondition: it is enrolled and not on
    /// ([`Rejected::Factors`]).
    ConfirmTotp {
        /// Whose.
        user: UserId,
        /// Which.
        factor: FactorId,
        /// The time step that was presented, which is spent.
        step: u64,
    },
    /// Spends a time step. Precondition: the secret is on, and no such or later step was spent ([`Rejected::Factors`]): of
    /// fifty who present one code, one is let in (RFC 6238 §5.2).
    SpendTotpStep {
        /// Whose.
        user: UserId,
        /// Which.
        factor: FactorId,
        /// The step.
        step: u64,
    },
    /// Replaces a secret's sealed form, if it is still `from`; otherwise nothing happens.
    ResealTotp {
        /// Whose.
        user: UserId,
        /// Which.
        factor: FactorId,
        /// As it was sealed.
        from: Sealed,
        /// As it is sealed from now on.
        to: Sealed,
    },
    /// Deletes all that authenticator apps share with us, what is enrolled included.
    DropTotp {
        /// Whose.
        user: UserId,
    },
    /// Replaces the recovery codes. Precondition: the user exists ([`Rejected::User`]).
    SetRecoveryCodes {
        /// Whose.
        user: UserId,
        /// The new ones; none takes them away.
        codes: Vec<Mac>,
    },
    /// Deletes a recovery code. Precondition: it exists ([`Rejected::Factors`]).
    SpendRecoveryCode {
        /// Whose.
        user: UserId,
        /// Which.
        code: Mac,
    },

    /// A session begins. Precondition: its user is active and in the session's epoch ([`Rejected::Epoch`]).
    OpenSession(Session),
    /// Advances the refresh counter from `from` to `from + 1`. Precondition: it is at `from`, the session isn't closed
    /// and its epoch is the user's ([`Rejected::Session`]).
    RotateRefresh {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// The counter of the token that was presented.
        from: u32,
        /// Now: becomes `rotated_at` and `last_seen_at`.
        at: Timestamp,
        /// The new idle deadline.
        idle_until: Timestamp,
        /// How long to keep the row from now on.
        kept_until: Timestamp,
    },
    /// Replaces a browser session's secret: the one before opens nothing any more. Precondition: it is still `from`, the
    /// session isn't closed and its epoch is the user's ([`Rejected::Session`]).
    RotateSecret {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// The digest of the secret that was presented.
        from: Digest,
        /// The digest of the new one.
        to: Digest,
        /// The user's `roles_version` that it is handed out at.
        roles_version: u32,
    },
    /// Notes that a session was used. Nothing happens where it is closed or was seen later.
    TouchSession {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// Now.
        at: Timestamp,
        /// The new idle deadline.
        idle_until: Timestamp,
    },
    /// Ends a session of the user. Precondition: it is theirs and not closed ([`Rejected::Session`]).
    CloseSession {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// Now.
        at: Timestamp,
    },
    /// Ends all sessions of the user that a device opened, those included that carry others of it on.
    CloseDevice {
        /// Whose.
        user: UserId,
        /// Which.
        device: DeviceId,
        /// Now.
        at: Timestamp,
    },

    /// Stores a signing key. Precondition: its number is free ([`Rejected::Key`]).
    AddSigningKey(SigningKey),
    /// Replaces a signing key's sealed form. Precondition: it is still `from` ([`Rejected::Key`]).
    ResealSigningKey {
        /// Which.
        number: u32,
        /// As it was sealed.
        from: Sealed,
        /// As it is sealed from now on.
        to: Sealed,
    },
    /// Deletes signing keys whose last token has expired: those of a number below `number`.
    DropSigningKeys {
        /// The first that stays.
        number: u32,
    },
    /// Stores a pepper check. Nothing happens where there is one of that key.
    AddPepperCheck(PepperCheck),

    /// Puts a mail into the outbox, due at once.
    Enqueue(SealedMail),
    /// Writes an audit entry.
    Record(AuditEvent),
}

impl Change {
    /// The user to lock before this change; `None` where there is none, or where the user is only being made.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::EditProfile { user, .. }
            | Self::VerifyEmail { user, .. }
            | Self::SetPassword { user, .. }
            | Self::Rehash { user, .. }
            | Self::ChangeEmail { user, .. }
            | Self::SetAttributes { user, .. }
            | Self::Require { user, .. }
            | Self::RequireUnverified { user, .. }
            | Self::GrantRole { user, .. }
            | Self::RevokeRole { user, .. }
            | Self::DeleteUser { user }
            | Self::SetStatus { user, .. }
            | Self::AdvanceEpoch { user }
            | Self::TrimTokens { user, .. }
            | Self::ClaimAttempt { user, .. }
            | Self::ReturnAttempt { user, .. }
            | Self::RenewCode { user, .. }
            | Self::SpendToken { user, .. }
            | Self::DropTokens { user, .. }
            | Self::RotateSecret { user, .. }
            | Self::RotateRefresh { user, .. }
            | Self::TouchSession { user, .. }
            | Self::CloseSession { user, .. }
            | Self::CloseDevice { user, .. }
            | Self::SetFactors { user, .. }
            | Self::ConfirmTotp { user, .. }
            | Self::SpendTotpStep { user, .. }
            | Self::ResealTotp { user, .. }
            | Self::DropTotp { user }
            | Self::SetRecoveryCodes { user, .. }
            | Self::SpendRecoveryCode { user, .. } => Some(*user),
            Self::EnrolTotp(secret) => Some(secret.user),
            Self::IssueToken { token, .. } => Some(token.user),
            Self::OpenSession(session) => Some(session.user),
            Self::CreateUser { .. }
            | Self::AdvanceAllEpochs
            | Self::AddPending(_)
            | Self::ClaimPending { .. }
            | Self::SpendPending { .. }
            | Self::DropPendings { .. }
            | Self::Charge { .. }
            | Self::Forgive { .. }
            | Self::ResealSigningKey { .. }
            | Self::DropSigningKeys { .. }
            | Self::AddSigningKey(_)
            | Self::AddPepperCheck(_)
            | Self::Enqueue(_)
            | Self::Record(_) => None,
        }
    }

    /// Whether it changes what [`Sessions::find_session`](super::Sessions::find_session) reads of a session that there was:
    /// the session, or its user with roles.
    const fn outdates_sessions(&self) -> bool {
        match self {
            Self::EditProfile { .. }
            | Self::VerifyEmail { .. }
            | Self::SetPassword { .. }
            | Self::ChangeEmail { .. }
            | Self::SetAttributes { .. }
            | Self::GrantRole { .. }
            | Self::RevokeRole { .. }
            | Self::DeleteUser { .. }
            | Self::SetStatus { .. }
            | Self::AdvanceEpoch { .. }
            | Self::AdvanceAllEpochs
            | Self::SetFactors { .. }
            | Self::RotateRefresh { .. }
            | Self::RotateSecret { .. }
            | Self::TouchSession { .. }
            | Self::CloseSession { .. }
            | Self::CloseDevice { .. } => true,
            Self::CreateUser { .. }
            | Self::Rehash { .. }
            | Self::Require { .. }
            | Self::RequireUnverified { .. }
            | Self::AddPending(_)
            | Self::ClaimPending { .. }
            | Self::SpendPending { .. }
            | Self::DropPendings { .. }
            | Self::IssueToken { .. }
            | Self::TrimTokens { .. }
            | Self::ClaimAttempt { .. }
            | Self::ReturnAttempt { .. }
            | Self::RenewCode { .. }
            | Self::SpendToken { .. }
            | Self::DropTokens { .. }
            | Self::Charge { .. }
            | Self::Forgive { .. }
            | Self::EnrolTotp(_)
            | Self::ConfirmTotp { .. }
            | Self::SpendTotpStep { .. }
            | Self::ResealTotp { .. }
            | Self::DropTotp { .. }
            | Self::SetRecoveryCodes { .. }
            | Self::SpendRecoveryCode { .. }
            | Self::OpenSession(_)
            | Self::AddSigningKey(_)
            | Self::ResealSigningKey { .. }
            | Self::DropSigningKeys { .. }
            | Self::AddPepperCheck(_)
            | Self::Enqueue(_)
            | Self::Record(_) => false,
        }
    }

    /// What a cache of sessions has to forget once `changes` are applied.
    pub fn outdates(changes: &[Self]) -> Outdated {
        let outdating = || changes.iter().filter(|change| change.outdates_sessions());
        if outdating().any(|change| change.user().is_none()) {
            return Outdated::Everybodys;
        }
        let mut users: Vec<UserId> = outdating().filter_map(Self::user).collect();
        users.sort_unstable();
        users.dedup();
        Outdated::Of(users)
    }

    /// The users to lock before `changes` are applied: sorted, each once, without those created in the list (locking a
    /// missing row takes a gap lock on MySQL, and two of those deadlock).
    pub fn users_to_lock(changes: &[Self]) -> Vec<UserId> {
        let is_created = |id: &UserId| {
            changes.iter().any(|change| matches!(change, Self::CreateUser { user, .. } if user.id == *id))
        };
        let mut users: Vec<UserId> = changes.iter().filter_map(Self::user).filter(|id| !is_created(id)).collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

/// A commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A precondition was false: somebody was faster, or it never held.
    #[error("rejected: {0}")]
    Rejected(Rejected),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which precondition was false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejected {
    /// The address has an account.
    #[error("the address is taken")]
    EmailTaken,
    /// The user's address is no longer the one that was decided about.
    #[error("the address has changed")]
    EmailChanged,
    /// No such user.
    #[error("no such user")]
    User,
    /// The user's epoch has advanced, or the user is suspended.
    #[error("the user's epoch has advanced")]
    Epoch,
    /// The token is spent, or never was.
    #[error("no such token")]
    Token,
    /// As many tokens of that purpose live as may.
    #[error("too many live tokens")]
    TooManyTokens,
    /// The code has no attempts left, or the token is gone.
    #[error("no attempts left")]
    Attempts,
    /// The account's budget is used up.
    #[error("the budget is used up")]
    Budget,
    /// The session is closed, was rotated by somebody else, or is another user's.
    #[error("the session has moved on")]
    Session,
    /// The second factors are others than those decided about, or what was to be spent of them is spent.
    #[error("the second factors have changed")]
    Factors,
    /// The application's own fields have changed.
    #[error("the attributes have changed")]
    Attributes,
    /// Whoever acts doesn't hold the role, or not any more.
    #[error("the role isn't held")]
    Role,
    /// Nobody else holds a role that somebody must hold.
    #[error("the last holder of the role")]
    LastHolder,
    /// A signing key of that number exists, or has changed.
    #[error("the signing key is another")]
    Key,
}
