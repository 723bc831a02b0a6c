//! The server's configuration: parsed as a whole, every mistake named at once.

mod database;
mod keys;
mod mail;
mod profiles;
mod reader;
mod shared;
mod source;
mod variables;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use auth_core::Signing;
use auth_core::keys::Pepper;
use auth_core::settings::{AccessCheck, Lifetimes, Permissions, Reuse, UnverifiedSignIn};
use auth_http::{Origin, Profile};
use ipnet::IpNet;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

pub(crate) use database::{Database, Library};
pub(crate) use mail::{Mail, Via};
use reader::Reader;
#[cfg(feature = "redis")]
pub(crate) use shared::Shared;
pub(crate) use source::Source;

/// What the server runs with.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) web: Web,
    /// Where Prometheus is answered, if it is.
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) profiles: Vec<Profile>,
    /// `None`: the bound address, for loopback only.
    pub(crate) public_url: Option<String>,
    pub(crate) frontend_url: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) database: Database,
    pub(crate) library: Library,
    /// `None`: made once, beside the embedded database.
    pub(crate) pepper: Option<Pepper>,
    pub(crate) old_peppers: Vec<Pepper>,
    pub(crate) signing: Signing,
    /// The file that the signing key was read from.
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) mail: Mail,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) reuse: Reuse,
    pub(crate) access_check: AccessCheck,
    pub(crate) unverified_sign_in: UnverifiedSignIn,
    pub(crate) throttle: bool,
    /// How long a credential may be answered from this process's memory; zero: never.
    pub(crate) local_cache: Duration,
    #[cfg(feature = "redis")]
    pub(crate) shared: Option<Shared>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) allowed_origins: Vec<Origin>,
    pub(crate) permissions: Permissions,
    pub(crate) log: String,
}

/// The web framework that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Web {
    Axum,
    #[cfg(feature = "rocket")]
    Rocket,
}

impl Web {
    /// Those that this build has, as they are called.
    const BUILT: &'static [(&'static str, Self)] = &[
        ("axum", Self::Axum),
        #[cfg(feature = "rocket")]
        ("rocket", Self::Rocket),
    ];
}

/// Every mistake in the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistakes(pub(crate) Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration can't be used:")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  - {mistake}"))
    }
}

impl std::error::Error for Mistakes {}

impl Config {
    /// Reads `source`.
    ///
    /// # Errors
    /// Every mistake at once: unknown names, values that can't be read, and settings that contradict each other.
    pub(crate) fn parse(source: Source) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(source);
        let config = reader.config();
        let Reader { source, mistakes, .. } = reader;
        let mut all = source.into_mistakes();
        all.extend(mistakes);
        config.filter(|_| all.is_empty()).ok_or(Mistakes(all))
    }

    /// Whether the server runs with defaults that must not face the network.
    pub(crate) const fn is_development(&self) -> bool {
        self.public_url.is_none() || matches!(self.mail.via, Via::Local { .. })
    }
}

/// Whether `text` is a level, or levels by target. A single word that is no level would be taken for a target of that name,
/// and a misspelt level would silence everything.
fn is_filter(text: &str) -> bool {
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    text.parse::<Targets>().is_ok() && text.split(',').all(|part| part.contains('=') || is_level(part))
}

impl Reader {
    /// `None` never: it would be a default of ours that can't be read.
    fn config(&mut self) -> Option<Config> {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 8080));
        let key_file = self.source.take("JWT_KEY_FILE").map(PathBuf::from);
        let (database, signing, mail) = (self.database(), self.signing(key_file.as_deref()), self.mail());
        #[cfg(not(feature = "redis"))]
        self.no_redis();
        let listen = self.parsed("AUTH_LISTEN", "an address and port such as 127.0.0.1:8080").unwrap_or(loopback);
        let public_url = self.url("PUBLIC_URL");
        let reached_at = public_url.clone().unwrap_or_else(|| format!("http://{listen}"));
        let config = Config {
            listen,
            web: self.built("AUTH_WEB", Web::BUILT),
            profiles: self.profiles(&reached_at),
            metrics_listen: self.parsed("AUTH_METRICS_LISTEN", "an address and port such as 127.0.0.1:9464"),
            public_url,
            frontend_url: self.url("FRONTEND_URL"),
            audience: self.source.take("AUTH_AUDIENCE"),
            database,
            library: self.library(),
            pepper: self.current_pepper(),
            old_peppers: self.old_peppers(),
            signing,
            key_file,
            mail: mail?,
            lifetimes: self.lifetimes(),
            reuse: self.choice("AUTH_REUSE", &[("refuse", Reuse::Refuse), ("resume", Reuse::Resume)]),
            access_check: self.choice(
                "AUTH_ACCESS_CHECK",
                &[("session", AccessCheck::Session), ("stateless", AccessCheck::Stateless)],
            ),
            unverified_sign_in: self.choice(
                "AUTH_UNVERIFIED_SIGN_IN",
                &[("allow", UnverifiedSignIn::Allow), ("refuse", UnverifiedSignIn::Refuse)],
            ),
            throttle: self.choice("AUTH_THROTTLE", &[("on", true), ("danger_off", false)]),
            local_cache: self.local_cache(),
            #[cfg(feature = "redis")]
            shared: self.shared(),
            trusted_proxies: self.list("AUTH_TRUSTED_PROXIES", "a network such as 10.0.0.0/8", |text| {
                text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
            }),
            allowed_origins: self.list("AUTH_ALLOWED_ORIGINS", "an origin such as https://app.example.com", |text| {
                Origin::parse(text).ok()
            }),
            permissions: self.source.take_permissions(),
            log: self.source.take("AUTH_LOG").unwrap_or_else(|| "info".to_owned()),
        };
        self.check(&config);
        Some(config)
    }

    /// What no single setting shows.
    fn check(&mut self, config: &Config) {
        // A value that is there and no good has been named already.
        if !config.listen.ip().is_loopback() {
            if !self.source.was_given("PUBLIC_URL") {
                self.mistake("AUTH_LISTEN is not loopback: PUBLIC_URL must say where clients reach the server");
            }
            if matches!(config.mail.via, Via::Local { .. }) && !self.source.was_given("SMTP_HOST") {
                self.mistake(
                    "AUTH_LISTEN is not loopback: mail to the console or a folder is for development; \
                     set SMTP_HOST, or AUTH_MAILER=ses",
                );
            }
        }
        if config.database.file().is_none() && !self.source.was_given("AUTH_PEPPER") {
            let database = config.database.name();
            self.mistake(format!("AUTH_PEPPER is required on {database}, where all nodes must agree on it"));
        }
        if self.source.was_given("AUTH_PEPPER_OLD") && !self.source.was_given("AUTH_PEPPER") {
            self.mistake("AUTH_PEPPER_OLD is set without AUTH_PEPPER");
        }
        if config.metrics_listen.is_some_and(|metrics| metrics == config.listen && metrics.port() != 0) {
            self.mistake("AUTH_METRICS_LISTEN and AUTH_LISTEN are the same: metrics are not for the public");
        }
        for network in config.trusted_proxies.iter().filter(|network| network.prefix_len() == 0) {
            self.mistake(format!(
                "AUTH_TRUSTED_PROXIES: {network} would believe everybody; name your proxies' networks"
            ));
        }
        if !is_filter(&config.log) {
            self.mistake("AUTH_LOG is no filter such as info or auth_core=debug,info");
        }
    }

    fn lifetimes(&mut self) -> Lifetimes {
        let mut lifetimes = Lifetimes::default();
        let fields: [(_, &mut Duration); 5] = [
            ("AUTH_ACCESS_TTL", &mut lifetimes.access),
            ("AUTH_REFRESH_TTL", &mut lifetimes.refresh),
            ("AUTH_SESSION_IDLE", &mut lifetimes.idle),
            ("AUTH_SESSION_MAX", &mut lifetimes.max),
            ("AUTH_REUSE_LEEWAY", &mut lifetimes.reuse_leeway),
        ];
        for (name, field) in fields {
            *field = self.seconds(name).unwrap_or(*field);
        }
        if let Err(mistakes) = lifetimes.check() {
            self.mistakes.extend(mistakes);
        }
        lifetimes
    }
}

#[cfg(test)]
mod tests;
