//! The core on the store that the configuration names: what requests and commands share.

use std::sync::Arc;
#[cfg(feature = "redis")]
use std::time::Duration;

#[cfg(feature = "redis")]
use auth_cache_redis::{Redis, RedisIdempotency, RedisSessions, RedisThrottle};
use auth_core::adapter::{DangerNoThrottle, LocalSessions, SystemEntropy};
use auth_core::keys::{KeyRing, Pepper};
use auth_core::port::{Clock, Store};
use auth_core::settings::Settings;
use auth_core::{Auth, Parts};

use super::database::{self, SqlStore};
use crate::config::{Config, Database};
use crate::metrics::Metrics;
use crate::{Failure, pepper_file};

/// The core, and the store that it is on.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) auth: Arc<Auth>,
    pub(crate) store: Arc<dyn SqlStore>,
}

/// What the core is opened for.
#[derive(Clone, Copy)]
pub(crate) enum Use<'a> {
    /// To answer requests, which are counted where somebody wants to know.
    Requests(Option<&'a Metrics>),
    /// To do something once, beside servers that may be running.
    Command,
}

impl Use<'_> {
    /// How long Redis is waited for. A command ends afterwards, and makes up for nothing that Redis didn't hear.
    #[cfg(feature = "redis")]
    const fn patience(self) -> Duration {
        match self {
            Self::Requests(_) => auth_cache_redis::PATIENCE,
            Self::Command => Duration::from_secs(5),
        }
    }

    const fn metrics(&self) -> Option<&Metrics> {
        match self {
            Self::Requests(metrics) => *metrics,
            Self::Command => None,
        }
    }
}

/// Puts the core together, for clients that reach it at `bound` where the configuration names no other address.
pub(crate) async fn open(
    config: Config,
    bound: &str,
    clock: Arc<dyn Clock>,
    for_what: Use<'_>,
) -> Result<Core, Failure> {
    let store = database::ready(&config).await?;
    let pepper = pepper(config.pepper, &config.database, &*store).await?;
    let ring = KeyRing::new(&pepper, &config.old_peppers);

    let mut settings = Settings::new(config.public_url.unwrap_or_else(|| format!("http://{bound}")));
    settings.frontend_url = config.frontend_url.unwrap_or(settings.frontend_url);
    settings.audience = config.audience.unwrap_or(settings.audience);
    settings.lifetimes = config.lifetimes;
    settings.reuse = config.reuse;
    settings.access_check = config.access_check;
    settings.unverified_sign_in = config.unverified_sign_in;
    settings.permissions = config.permissions;
    // What mails call it.
    settings.totp_issuer = config.mail.sender.app().to_owned();

    let mut parts = Parts { clock, signing: config.signing, ..Parts::new(store.clone(), ring, settings)? };
    let remembers = !config.local_cache.is_zero() && matches!(for_what, Use::Requests(_));
    if remembers {
        parts.cache = Some(Arc::new(LocalSessions::new(config.local_cache)));
    }
    #[cfg(feature = "redis")]
    if let Some(shared) = &config.shared {
        let redis = Redis::with_patience(&shared.url, &shared.prefix, for_what.patience())?;
        // A command has no use for copies, but what it changes the servers have to forget.
        let mut sessions = RedisSessions::new(redis.clone());
        if remembers {
            sessions = sessions.with_local_copies(config.local_cache);
        }
        if let Some(metrics) = for_what.metrics() {
            metrics.watch(redis.clone(), remembers.then(|| sessions.clone()));
        }
        parts.cache = Some(Arc::new(sessions));
        parts.idempotency = Some(Arc::new(RedisIdempotency::new(redis.clone())));
        parts.throttle = Arc::new(RedisThrottle::new(redis));
    }
    if !config.throttle {
        parts.throttle = Arc::new(DangerNoThrottle);
    }
    if let Some(metrics) = for_what.metrics() {
        parts.cache = parts.cache.map(|cache| metrics.metered_cache(cache));
        parts.hasher = metrics.metered(parts.hasher);
        parts.observer = Some(metrics.observer());
    }
    Ok(Core { auth: Auth::start(parts).await?, store })
}

/// The configured pepper, or the one beside the embedded database.
async fn pepper(configured: Option<Pepper>, database: &Database, store: &dyn Store) -> Result<Pepper, Failure> {
    match (configured, database.file()) {
        (Some(pepper), _) => Ok(pepper),
        // A new one would open nothing in a database that was used with another, and stand beside it for good. Asked
        // before the file is looked for: whoever makes the first pepper writes the file before the database knows of it.
        (None, Some(file)) if store.pepper_checks().await?.is_empty() => {
            pepper_file::load_or_create(file, &SystemEntropy)
        }
        (None, Some(file)) => pepper_file::load(file),
        (None, None) => Err(format!("AUTH_PEPPER is required on {}", database.name()).into()),
    }
}
