//! The core, put together: ports, keys and settings that every flow works with.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::access_token::AccessTokens;
use crate::domain::{
    AuditEvent, AuditKind, Context, EventId, Factor, Factors, LeaseId, SessionId, Timestamp, User, UserId,
};
use crate::flow::copies::{self, Copies};
use crate::keys::{KeyRing, SealError};
use crate::port::{
    BreachedPasswords, Change, Clock, CommitError, Entropy, HashError, Idempotency, Observer, PasswordHasher, Policy,
    Rejected, Store, StoreError, Throttle, Veto,
};
use crate::settings::{SecondFactor, Settings};
use crate::start::StartError;

/// Everything that the flows need, shared by all requests of a process.
///
/// Made by [`start`](Self::start), which checks that pepper, store and settings belong together.
#[derive(Debug, Clone)]
pub struct Auth {
    pub(crate) store: Arc<dyn Store>,
    /// `None` where the store is asked with every request.
    pub(crate) copies: Option<Arc<Copies>>,
    pub(crate) replies: Arc<dyn Idempotency>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) hasher: Arc<dyn PasswordHasher>,
    pub(crate) throttle: Arc<dyn Throttle>,
    pub(crate) breached: Arc<dyn BreachedPasswords>,
    pub(crate) policy: Arc<dyn Policy>,
    /// `None` where nobody listens.
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) ring: Arc<KeyRing>,
    pub(crate) tokens: Arc<AccessTokens>,
    pub(crate) settings: Settings,
    /// Wakes this process's mail worker, so that a mail needn't wait for the next poll.
    pub(crate) mail_waiting: Arc<Notify>,
    /// Sessions whose idle time this process is renewing.
    pub(crate) touching: Arc<Mutex<HashSet<SessionId>>>,
    /// This process, in leases.
    pub(crate) node: LeaseId,
}

impl Auth {
    /// The same core under other settings: store, keys, throttles and workers are shared. For a further profile in the same
    /// process.
    ///
    /// # Errors
    /// [`StartError::Settings`] when they contradict themselves, or name another issuer or audience: access tokens are the
    /// whole process's.
    pub fn with(&self, settings: Settings) -> Result<Arc<Self>, StartError> {
        let mut mistakes = settings.lifetimes.check().err().unwrap_or_default();
        if (&settings.public_url, &settings.audience) != (&self.settings.public_url, &self.settings.audience) {
            mistakes.push("two profiles of one process have different issuers or audiences".into());
        }
        if mistakes.is_empty() {
            Ok(Arc::new(Self { settings, ..self.clone() }))
        } else {
            Err(StartError::Settings(mistakes))
        }
    }

    /// Whether one of `user`'s roles is among those that [`Settings::permissions`] names for `permission`.
    pub fn permits(&self, user: &User, permission: &str) -> bool {
        self.settings.permissions.permit(user, permission)
    }

    /// The second factors that a sign-in of `user` asks for: those that they switched on, or a mailed code where the settings
    /// demand a second step of them.
    pub fn second_factors(&self, user: &User) -> Factors {
        if user.factors.is_empty() && self.demands_second_step(user) {
            Factors::of(&[Factor::Email])
        } else {
            user.factors.clone()
        }
    }

    /// Whether the settings demand a second step of `user`, whatever they switched on.
    pub(crate) fn demands_second_step(&self, user: &User) -> bool {
        self.settings.second_factor == SecondFactor::EmailRequired
            || self.settings.second_factor_roles.iter().any(|role| user.roles.contains(role))
    }

    /// What the host chose.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The time, as the flows see it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh id for a request that brought none.
    pub fn new_request_id(&self) -> String {
        EventId::new(self.now(), &*self.entropy).to_string()
    }

    /// The public keys that verify access tokens, as a JWK Set (RFC 7517 §5).
    pub fn jwks(&self) -> serde_json::Value {
        self.tokens.jwks()
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`StoreError`] when it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    /// Commits, makes copies forgotten that are out of date with it, wakes the mail worker where there is something for it, and
    /// tells the observer.
    pub(crate) async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        copies::commit(&self.store, self.copies.as_ref(), changes).await?;
        if changes.iter().any(|change| matches!(change, Change::Enqueue(_))) {
            self.mail_waiting.notify_one();
        }
        self.tell(changes);
        Ok(())
    }

    /// Tells the observer of the events among `changes`, in a task of its own: nobody waits for it, and a panic is its own.
    fn tell(&self, changes: &[Change]) {
        let Some(observer) = self.observer.clone() else { return };
        let event = |change: &Change| match change {
            Change::Record(event) => Some(event.clone()),
            _ => None,
        };
        let events: Vec<AuditEvent> = changes.iter().filter_map(event).collect();
        tokio::spawn(async move {
            for event in &events {
                observer.observe(event).await;
            }
        });
    }

    /// Commits that something was refused, and only then says so: a refusal that isn't on record is no answer.
    pub(crate) async fn refuse<E: From<CommitError>>(&self, event: AuditEvent, why: E) -> E {
        match self.commit(&[Change::Record(event)]).await {
            Ok(()) => why,
            Err(error) => error.into(),
        }
    }

    /// Commits that the host's policy refused something.
    pub(crate) async fn vetoed<E: From<CommitError> + From<Veto>>(
        &self,
        veto: Veto,
        user: Option<UserId>,
        context: &Context,
    ) -> E {
        let event = self.event(AuditKind::Vetoed, context, self.now()).about(user).with("reason", &veto.reason);
        self.refuse(event, veto.into()).await
    }

    /// An audit entry about something that happens now.
    pub(crate) fn event(&self, kind: AuditKind, context: &Context, at: Timestamp) -> AuditEvent {
        AuditEvent {
            id: EventId::new(at, &*self.entropy),
            at,
            kind,
            actor: None,
            subject: None,
            ip: context.ip,
            user_agent: context.user_agent.clone(),
            request_id: context.request_id.clone(),
            detail: Default::default(),
        }
    }
}

/// The core could not do its work; nothing that the client did.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed or verified.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// An access token could not be signed.
    #[error("an access token could not be signed")]
    Sign(#[source] crate::access_token::SignError),
    /// A commit was rejected for a reason that the flow can't have.
    #[error("unexpectedly rejected: {0}")]
    Rejected(Rejected),
    /// Others kept changing what the decision was about.
    #[error("gave up after concurrent changes")]
    Contended,
}

impl Fault {
    /// After how long it is worth trying again; `None` where it is an error of ours.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Store(StoreError::Unavailable { .. }) | Self::Contended => Some(Duration::from_secs(2)),
            Self::Hash(HashError::Busy) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl From<CommitError> for Fault {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => Self::Store(error),
            CommitError::Rejected(why) => Self::Rejected(why),
        }
    }
}

impl From<crate::access_token::SignError> for Fault {
    fn from(error: crate::access_token::SignError) -> Self {
        Self::Sign(error)
    }
}

/// Lets `?` carry whatever is a [`Fault`] into a flow's own error, by its variant `Fault`.
macro_rules! fault_into {
    ($error:ident) => {
        crate::auth::fault_into!($error: crate::auth::Fault, crate::port::StoreError, crate::port::HashError,
            crate::port::CommitError, crate::keys::SealError, crate::access_token::SignError);
    };
    ($error:ident: $($from:ty),*) => {
        $(impl From<$from> for $error {
            fn from(error: $from) -> Self {
                Self::Fault(error.into())
            }
        })*
    };
}
pub(crate) use fault_into;
