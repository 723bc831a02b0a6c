//! Everything that the examination goes by.

use std::path::Path;

#[cfg(feature = "redis")]
use auth_cache_redis::{Redis, RedisSessions, RedisThrottle};
use auth_core::adapter::SystemClock;
use auth_core::domain::{Backlog, Timestamp};
use auth_core::keys::KeyRing;
use auth_core::port::{AuditQuery, Clock, Store, StoreError};

use super::files::{self, SecretFile};
use super::machine::Machine;
use crate::config::Config;
use crate::{pepper_file, service, with_causes};

/// What is known of a server, its machine and its surroundings.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) config: Config,
    pub(crate) machine: Machine,
    pub(crate) store: StoreState,
    /// Why the server that takes mail doesn't, if it doesn't; `None` where nobody was asked.
    pub(crate) mailer: Option<Result<(), String>>,
    /// Why Redis doesn't answer, if it doesn't; `None` where there is none.
    pub(crate) shared: Option<Result<(), String>>,
    /// Files that hold secrets.
    pub(crate) files: Vec<SecretFile>,
    pub(crate) now: Timestamp,
}

/// What became of asking the store.
#[derive(Debug)]
pub(crate) enum StoreState {
    /// A file that isn't there yet.
    New,
    /// It doesn't answer, and why.
    Away(String),
    /// It lacks these migrations.
    Outdated(Vec<String>),
    /// It can be used.
    Ready {
        pepper: PepperState,
        /// When the newest event was recorded.
        newest_event: Option<Timestamp>,
        backlog: Backlog,
    },
}

/// Whether the pepper is the store's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PepperState {
    /// It is, or the store has none yet.
    Fits,
    /// It isn't.
    Foreign,
    /// The store was used with a pepper, and none is configured nor beside it.
    Missing,
}

impl Facts {
    /// Looks at everything that `config` names. `toml`: the file that it was read from.
    pub(crate) async fn gather(config: Config, toml: Option<&Path>) -> Self {
        let store = state_of(&config).await;
        let mailer =
            service::mailer::check(&config.mail).await.map(|checked| checked.map_err(|error| error.to_string()));
        let shared = shared(&config).await;
        let files = files::find(&config, toml);
        Self { config, machine: Machine::read(), store, mailer, shared, files, now: SystemClock::new().now() }
    }
}

#[cfg(feature = "redis")]
async fn shared(config: &Config) -> Option<Result<(), String>> {
    let shared = config.shared.as_ref()?;
    let asked = async {
        let redis = Redis::open(&shared.url, &shared.prefix)?;
        RedisThrottle::new(redis.clone()).check().await?;
        RedisSessions::new(redis).check().await
    };
    Some(asked.await.map_err(|error| with_causes(&error)))
}

#[cfg(not(feature = "redis"))]
async fn shared(_: &Config) -> Option<Result<(), String>> {
    None
}

async fn state_of(config: &Config) -> StoreState {
    // Connecting would make the file.
    if config.database.file().is_some_and(|file| !file.exists()) {
        return StoreState::New;
    }
    let asking = async {
        let store = service::database::open(config).await?;
        let missing = store.missing_migrations().await?;
        if !missing.is_empty() {
            return Ok(StoreState::Outdated(missing));
        }
        let newest_event =
            store.audit_events(&AuditQuery { limit: 1, ..AuditQuery::default() }).await?.first().map(|event| event.at);
        let pepper = pepper_state(config, &*store).await?;
        Ok(StoreState::Ready { pepper, newest_event, backlog: store.backlog().await? })
    };
    asking.await.unwrap_or_else(|error: StoreError| StoreState::Away(with_causes(&error)))
}

async fn pepper_state(config: &Config, store: &dyn Store) -> Result<PepperState, StoreError> {
    let checks = store.pepper_checks().await?;
    if checks.is_empty() {
        return Ok(PepperState::Fits);
    }
    let beside = || config.database.file().and_then(|file| pepper_file::load(file).ok());
    let Some(pepper) = config.pepper.clone().or_else(beside) else { return Ok(PepperState::Missing) };
    let ring = KeyRing::new(&pepper, &config.old_peppers);
    Ok(if checks.iter().any(|check| ring.made(check)) { PepperState::Fits } else { PepperState::Foreign })
}
