//! The service, put together from its configuration: one adapter for each port.

mod connection;
pub(crate) mod database;
mod listen;
mod mailer;

use std::net::SocketAddr;
use std::sync::Arc;

use auth_core::adapter::{DangerNoThrottle, SystemClock, SystemEntropy};
use auth_core::keys::KeyRing;
use auth_core::port::{Clock, Mailer};
use auth_core::settings::Settings;
use auth_core::{Auth, Parts};
use auth_http::{AuthHttp, HttpSettings, Profile};

use crate::Failure;
use crate::config::{Config, Database};

pub(crate) use listen::serve;

/// What answers requests and sends mail.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) auth: Arc<Auth>,
    pub(crate) http: AuthHttp,
    pub(crate) mailer: Arc<dyn Mailer>,
}

impl Service {
    /// Puts the service together, for clients that reach it at `bound` where the configuration names no other address.
    pub(crate) async fn start(config: Config, bound: SocketAddr) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let is_development = config.is_development();
        let mailer = mailer::open(config.mail, Arc::clone(&clock)).await?;
        let store = database::ready(&config.database).await?;

        let pepper = match (config.pepper, &config.database) {
            (Some(pepper), _) => pepper,
            (None, Database::Sqlite { file, .. }) => crate::pepper_file::load_or_create(file, &SystemEntropy)?,
            #[cfg(feature = "postgres")]
            (None, Database::Postgres(_)) => return Err("AUTH_PEPPER is required on PostgreSQL".into()),
        };
        let ring = KeyRing::new(&pepper, &config.old_peppers);

        let mut settings = Settings::new(config.public_url.unwrap_or_else(|| format!("http://{bound}")));
        settings.frontend_url = config.frontend_url.unwrap_or(settings.frontend_url);
        settings.audience = config.audience.unwrap_or(settings.audience);
        settings.lifetimes = config.lifetimes;
        settings.reuse = config.reuse;
        settings.access_check = config.access_check;
        settings.unverified_sign_in = config.unverified_sign_in;

        let mut parts = Parts { clock, signing: config.signing, ..Parts::new(store, ring, settings)? };
        if !config.throttle {
            parts.throttle = Arc::new(DangerNoThrottle);
        }
        let auth = Auth::start(parts).await?;
        let http_settings = HttpSettings {
            trusted_proxies: config.trusted_proxies,
            allowed_origins: config.allowed_origins,
            loopback_only: is_development,
        };
        let http = AuthHttp::new(Arc::clone(&auth), [Profile::tokens()], http_settings)?;
        Ok(Self { auth, http, mailer })
    }
}
