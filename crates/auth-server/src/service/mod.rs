//! The service, put together from its configuration: one adapter for each port.

mod connection;
pub(crate) mod core;
pub(crate) mod database;
mod listen;
pub(crate) mod mailer;
pub(crate) mod web;

use std::net::SocketAddr;
use std::sync::Arc;

use auth_core::Auth;
use auth_core::adapter::SystemClock;
use auth_core::port::{Clock, Mailer};
use auth_http::{AuthHttp, HttpSettings};

use crate::Failure;
use crate::config::Config;
use crate::metrics::Metrics;
use core::{Core, Use};
use database::SqlStore;

pub(crate) use listen::{serve, serve_few};

/// What answers requests and sends mail.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) auth: Arc<Auth>,
    pub(crate) http: AuthHttp,
    pub(crate) mailer: Arc<dyn Mailer>,
    pub(crate) store: Arc<dyn SqlStore>,
}

impl Service {
    /// Puts the service together, for clients that reach it at `bound` where the configuration names no other address.
    pub(crate) async fn start(config: Config, bound: SocketAddr, metrics: Option<&Metrics>) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let mailer = mailer::open(config.mail.clone(), Arc::clone(&clock)).await?;
        let http_settings = HttpSettings {
            trusted_proxies: config.trusted_proxies.clone(),
            allowed_origins: config.allowed_origins.clone(),
            loopback_only: config.is_development(),
        };
        let profiles = config.profiles.clone();
        let Core { auth, store } = core::open(config, &bound.to_string(), clock, Use::Requests(metrics)).await?;
        let http = AuthHttp::new(Arc::clone(&auth), profiles, http_settings)?;
        Ok(Self { auth, http, mailer, store })
    }
}
