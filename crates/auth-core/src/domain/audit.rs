//! The audit log's entries.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{EventId, Timestamp, UserId};

/// Who asks, as far as the transport knows. Recorded with what they do.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The client's address, after trusted proxies.
    pub ip: Option<IpAddr>,
    /// What the client calls itself. Escaped and shortened by [`Context::new`].
    pub user_agent: Option<String>,
    /// Ties log lines, audit entries and the client's report together.
    pub request_id: Option<String>,
}

impl Context {
    /// A context with the user agent made safe to show: control and bidirectional characters are escaped, and it is cut
    /// at 256 characters.
    pub fn new(ip: Option<IpAddr>, user_agent: Option<&str>, request_id: Option<String>) -> Self {
        Self { ip, user_agent: user_agent.map(|agent| escape(agent, 256)), request_id }
    }
}

/// `text` with control and bidirectional formatting characters written as escapes, cut at `max` characters.
///
/// They would let one line of a log pass for two, or be shown in another order than they are read.
pub fn escape(text: &str, max: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(max * 4));
    for c in text.chars().take(max) {
        let is_bidi =
            matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || is_bidi || matches!(c, '\u{2028}' | '\u{2029}') {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A security-relevant event, in the same commit as what it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Names the entry.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: AuditKind,
    /// Who did it, where that is known.
    pub actor: Option<UserId>,
    /// To whose account it happened, where that is known.
    pub subject: Option<UserId>,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// The request it happened in.
    pub request_id: Option<String>,
    /// More, by kind; never a secret.
    pub detail: BTreeMap<String, String>,
}

impl AuditEvent {
    /// Done by the user to their own account.
    #[must_use]
    pub fn by(mut self, user: UserId) -> Self {
        (self.actor, self.subject) = (Some(user), Some(user));
        self
    }

    /// Done by `actor` to `subject`'s account.
    #[must_use]
    pub fn by_on(mut self, actor: Option<UserId>, subject: UserId) -> Self {
        (self.actor, self.subject) = (actor, Some(subject));
        self
    }

    /// Done by nobody known to the user's account, if it is known.
    #[must_use]
    pub fn about(mut self, user: Option<UserId>) -> Self {
        self.subject = user;
        self
    }

    /// With one more detail, escaped and cut at 256 characters.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.detail.insert(key.to_owned(), escape(value, 256));
        self
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What an audit entry tells of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum AuditKind { $($(#[$doc])* $name,)* }

        impl AuditKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word for stores and the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Reads that word.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
            }
        }
    };
}

kinds! {
    /// An account was made.
    Registered = "user.registered",
    /// Somebody registered an address that has an account.
    RegistrationRefused = "user.registration-refused",
    /// An address was proved.
    EmailVerified = "email.verified",
    /// A verification mail was asked for.
    VerificationRequested = "email.verification-requested",
    /// A mailed code was tried; an entry of what it achieved follows where it was right.
    CodeTried = "code.tried",
    /// A verification link or code was refused.
    VerificationFailed = "email.verification-failed",
    /// A sign-in succeeded.
    SignedIn = "session.opened",
    /// A sign-in failed.
    SignInFailed = "session.refused",
    /// A sign-in has to take a second step.
    SecondStepAsked = "session.challenged",
    /// The second step of a sign-in was refused.
    SecondStepFailed = "session.challenge-refused",
    /// Another code for the second step was asked for.
    SecondStepMailed = "session.challenge-mailed",
    /// A user said that a session isn't theirs.
    SessionReported = "session.reported",
    /// A link that says that a session isn't its user's was refused.
    SessionReportFailed = "session.report-refused",
    /// A refresh token was refused.
    RefreshFailed = "session.refresh-refused",
    /// An earlier refresh token came back; the session is dead.
    RefreshReused = "session.reuse-detected",
    /// A session was ended by its user.
    SignedOut = "session.closed",
    /// Every session of a user was ended.
    SignedOutEverywhere = "session.closed-all",
    /// A reset mail was asked for.
    ResetRequested = "password.reset-requested",
    /// A password was reset.
    PasswordReset = "password.reset",
    /// A reset link or code was refused.
    ResetFailed = "password.reset-failed",
    /// A password was changed.
    PasswordChanged = "password.changed",
    /// A change of password was refused.
    PasswordChangeFailed = "password.change-failed",
    /// A code that changes a password was asked for.
    PasswordCodeRequested = "password.code-requested",
    /// A profile was edited.
    ProfileChanged = "user.profile-changed",
    /// An address was registered and waits for its proof.
    RegistrationPending = "user.registration-pending",
    /// An account was made by an operator.
    UserCreated = "user.created",
    /// An account was brought from elsewhere.
    UserImported = "user.imported",
    /// The application's own fields of a user were changed.
    AttributesChanged = "user.attributes-changed",
    /// A user may no longer sign in.
    UserSuspended = "user.suspended",
    /// A user may sign in again.
    UserReactivated = "user.reactivated",
    /// All that is stored about a user was handed out to them.
    UserExported = "user.exported",
    /// An account was deleted.
    UserDeleted = "user.deleted",
    /// A role was granted.
    RoleGranted = "role.granted",
    /// A role was revoked.
    RoleRevoked = "role.revoked",
    /// What only an administrator may do was refused.
    AdministrationRefused = "role.refused",
    /// A user's sessions were ended by somebody else.
    SessionsEnded = "session.closed-by-other",
    /// Every session of every user was ended.
    AllSessionsEnded = "session.closed-for-all",
    /// A browser's secret was replaced after a change of roles.
    SecretRotated = "session.rotated",
    /// A signed-in user proved again who they are.
    Reauthenticated = "session.reauthenticated",
    /// A signed-in user failed to prove who they are.
    ReauthenticationFailed = "session.reauthentication-refused",
    /// A code for proving again who one is was asked for.
    ReauthenticationRequested = "session.reauthentication-requested",
    /// Switching a second factor on or off has begun.
    FactorRequested = "factor.requested",
    /// A second factor was switched on.
    FactorOn = "factor.on",
    /// A second factor was switched off.
    FactorOff = "factor.off",
    /// A code that switches a second factor on or off was refused.
    FactorRefused = "factor.refused",
    /// Recovery codes were made anew.
    RecoveryCodesRenewed = "factor.recovery-codes-renewed",
    /// A move to another address was asked for.
    EmailChangeRequested = "email.change-requested",
    /// An account moved to another address.
    EmailChanged = "email.changed",
    /// A link or code that changes an address was refused.
    EmailChangeFailed = "email.change-failed",
    /// A move to another address was stopped or taken back.
    EmailChangeUndone = "email.change-undone",
    /// The host's policy refused something.
    Vetoed = "policy.refused",
    /// A throttle refused a request.
    Throttled = "throttle.refused",
    /// A signing key was made.
    KeyCreated = "key.created",
    /// Signing keys were sealed anew.
    KeysResealed = "key.resealed",
    /// Mails that had been given up were put up again.
    MailRetried = "mail.retried",
}
