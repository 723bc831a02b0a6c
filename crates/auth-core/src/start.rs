//! Starting: pepper, store, keys and settings are checked against each other before the first request.

use std::io;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::access_token::{AccessTokens, Ed25519Key, HmacSecret, KeySet};
use crate::adapter::{Argon2Pool, LocalThrottle, NoBreachCheck, OpenPolicy, PoolSettings, SystemClock, SystemEntropy};
use crate::auth::{Auth, Fault};
use crate::domain::{AuditKind, LeaseId, Timestamp};
use crate::flow::copies::Copies;
use crate::flow::signing_keys;
use crate::keys::KeyRing;
use crate::port::{
    BreachedPasswords, Change, Clock, CommitError, Entropy, Idempotency, Observer, PasswordHasher, Policy, Rejected,
    SessionCache, Store, Throttle,
};
use crate::settings::Settings;

/// What an [`Auth`] is made of: one adapter for each port.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Remembers who is signed in, so that the store isn't asked with every request; `None`: it is.
    pub cache: Option<Arc<dyn SessionCache>>,
    /// Keeps the replies to requests that name themselves; `None`: the store does.
    pub idempotency: Option<Arc<dyn Idempotency>>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes secrets.
    pub entropy: Arc<dyn Entropy>,
    /// Hashes passwords; keyed with [`KeyRing::password_keys`] of the same ring.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Counts attempts.
    pub throttle: Arc<dyn Throttle>,
    /// Knows breached passwords.
    pub breached: Arc<dyn BreachedPasswords>,
    /// May refuse what the rules allow.
    pub policy: Arc<dyn Policy>,
    /// Hears of what happened.
    pub observer: Option<Arc<dyn Observer>>,
    /// Derived from the pepper.
    pub ring: KeyRing,
    /// What signs access tokens.
    pub signing: Signing,
    /// What the host chose.
    pub settings: Settings,
}

impl Parts {
    /// The parts that most hosts want: the system's clock and randomness, Argon2 with a thread for each core, throttles in
    /// this process, no cache, no list of breached passwords, and signing keys in the store. Others are put in their place:
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// # use auth_core::{Auth, Parts, keys::KeyRing, port::{BreachedPasswords, Store}, settings::Settings};
    /// # async fn f(store: Arc<dyn Store>, ring: KeyRing, mine: Arc<dyn BreachedPasswords>) -> Result<(), Box<dyn std::error::Error>> {
    /// let settings = Settings::new("https://auth.example.com");
    /// let auth = Auth::start(Parts { breached: mine, ..Parts::new(store, ring, settings)? }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// An I/O error when memory or threads for hashing can't be had.
    pub fn new(store: Arc<dyn Store>, ring: KeyRing, settings: Settings) -> io::Result<Self> {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let hasher = Argon2Pool::new(&PoolSettings::default(), ring.password_keys(), Arc::clone(&entropy))?;
        Ok(Self {
            store,
            cache: None,
            idempotency: None,
            clock: Arc::new(SystemClock::new()),
            entropy,
            hasher: Arc::new(hasher),
            throttle: Arc::new(LocalThrottle::default()),
            breached: Arc::new(NoBreachCheck),
            policy: Arc::new(OpenPolicy),
            observer: None,
            ring,
            signing: Signing::Stored,
            settings,
        })
    }
}

/// What signs access tokens.
#[derive(Debug)]
pub enum Signing {
    /// Ed25519 keys, made once and kept in the store, sealed, so that all nodes share them.
    Stored,
    /// An Ed25519 key that the host brings, as PKCS#8.
    Own(Ed25519Key),
    /// A shared secret (HS256); the JWKS is empty then.
    Secret(HmacSecret),
}

/// The parts don't belong together.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings that contradict themselves: every mistake.
    #[error("the settings contradict themselves: {}", .0.join("; "))]
    Settings(Vec<String>),
    /// The store's schema lacks what this version needs: the names of the migrations.
    #[error("the store lacks migrations: {}", .0.join(", "))]
    Schema(Vec<String>),
    /// The store was used with another pepper: passwords, codes and sealed values in it could not be read.
    #[error(
        "the store was made under another pepper (none of its {0} pepper checks matches); give that pepper as an old one"
    )]
    ForeignPepper(usize),
    /// The store or a key could not be used.
    #[error(transparent)]
    Fault(Fault),
}
crate::auth::fault_into!(StartError);

impl Auth {
    /// Checks the parts against each other and puts them together. Makes the first signing key where there is none; changes
    /// no schema: migrations run when the host asks for them.
    ///
    /// # Errors
    /// [`StartError`] when they don't belong together, or the store can't answer.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, StartError> {
        let Parts { store, cache, idempotency, clock, entropy, hasher, throttle, .. } = parts;
        let Parts { breached, policy, observer, ring, signing, settings, .. } = parts;
        settings.lifetimes.check().map_err(StartError::Settings)?;
        let missing = store.missing_migrations().await?;
        if !missing.is_empty() {
            return Err(StartError::Schema(missing));
        }
        check_pepper(&*store, &ring).await?;
        let now = clock.now();
        let keys = match signing {
            Signing::Secret(secret) => KeySet::hmac(secret),
            Signing::Own(key) => KeySet::ed25519(vec![key]),
            Signing::Stored => KeySet::ed25519(stored_keys(&*store, &ring, &*entropy, now).await?),
        };
        let tokens = AccessTokens::new(settings.public_url.clone(), settings.audience.clone(), keys);
        let node = LeaseId::new(now, &*entropy);
        let mail_waiting = Arc::new(Notify::new());
        let replies = idempotency.unwrap_or_else(|| store.clone());
        Ok(Arc::new(Self {
            store,
            copies: cache.map(|cache| Arc::new(Copies::new(cache))),
            replies,
            clock,
            entropy,
            hasher,
            throttle,
            breached,
            policy,
            observer,
            ring: Arc::new(ring),
            tokens: Arc::new(tokens),
            settings,
            mail_waiting,
            touching: Arc::default(),
            node,
        }))
    }
}

/// Refuses a pepper that the store wasn't used with (SC3): nobody could sign in, and nothing would say why.
async fn check_pepper(store: &dyn Store, ring: &KeyRing) -> Result<(), StartError> {
    let checks = store.pepper_checks().await?;
    if !checks.is_empty() && !checks.iter().any(|check| ring.made(check)) {
        return Err(StartError::ForeignPepper(checks.len()));
    }
    if !checks.iter().any(|check| check.key == ring.current()) {
        store.commit(&[Change::AddPepperCheck(ring.check())]).await?;
    }
    Ok(())
}

/// All signing keys of the store; makes the first.
async fn stored_keys(
    store: &dyn Store,
    ring: &KeyRing,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Vec<Ed25519Key>, Fault> {
    if store.signing_keys().await?.is_empty() {
        let key = signing_keys::generate(ring, entropy, 1, now)?;
        let event = crate::domain::AuditEvent {
            id: crate::domain::EventId::new(now, entropy),
            at: now,
            kind: AuditKind::KeyCreated,
            actor: None,
            subject: None,
            ip: None,
            user_agent: None,
            request_id: None,
            detail: [("kid".to_owned(), key.kid.clone())].into(),
        };
        match store.commit(&[Change::AddSigningKey(key), Change::Record(event)]).await {
            // Another node that starts at the same moment was faster: its key is ours too.
            Ok(()) | Err(CommitError::Rejected(Rejected::Key)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    signing_keys::open(ring, &store.signing_keys().await?)
}
