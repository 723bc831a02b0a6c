//! What the server counts, for Prometheus.
//!
//! Every label has a fixed set of values: none comes from a request.

mod events;
mod hashing;
#[cfg(feature = "redis")]
mod redis;
mod requests;
mod sessions;
mod store;

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "redis")]
use std::sync::OnceLock;

#[cfg(feature = "redis")]
use auth_cache_redis::{Redis, RedisSessions};
use auth_core::adapter::SystemClock;
use auth_core::port::{Clock, Observer, PasswordHasher, SessionCache};
use auth_http::Profile;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::service::database::SqlStore;
use events::Events;
use hashing::{Hashing, MeteredHasher};
use requests::Requests;
use sessions::{MeteredCache, Sessions};

/// What the server counts. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    requests: Requests,
    events: Events,
    hashing: Hashing,
    sessions: Sessions,
    registry: Arc<Registry>,
    #[cfg(feature = "redis")]
    redis: Arc<OnceLock<redis::Watched>>,
}

impl Metrics {
    /// Nothing counted yet, of `profiles` in the order in which they are served.
    pub(crate) fn new(profiles: &[Profile]) -> Self {
        let mut registry = prefixed();
        let all = [
            ("mysql", cfg!(feature = "mysql")),
            ("postgres", cfg!(feature = "postgres")),
            ("redis", cfg!(feature = "redis")),
            ("rocket", cfg!(feature = "rocket")),
            ("ses", cfg!(feature = "ses")),
            ("smtp", cfg!(feature = "smtp")),
        ];
        let built_in = all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name);
        let features = built_in.collect::<Vec<_>>().join(",");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION").to_owned()), ("features", features)]);
        registry.register("build", "What is running", build);
        let requests = Requests::register(profiles, &mut registry);
        let events = Events::register(&mut registry);
        let hashing = Hashing::register(&mut registry);
        let sessions = Sessions::register(&mut registry);
        Self {
            requests,
            events,
            hashing,
            sessions,
            registry: Arc::new(registry),
            #[cfg(feature = "redis")]
            redis: Arc::default(),
        }
    }

    /// `hasher`, with what it does counted.
    pub(crate) fn metered(&self, hasher: Arc<dyn PasswordHasher>) -> Arc<dyn PasswordHasher> {
        Arc::new(MeteredHasher::new(hasher, self.hashing.clone()))
    }

    /// What counts audit events.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(self.events.clone())
    }

    /// `cache`, with what it has counted.
    pub(crate) fn metered_cache(&self, cache: Arc<dyn SessionCache>) -> Arc<dyn SessionCache> {
        Arc::new(MeteredCache::new(cache, self.sessions.clone()))
    }

    /// From now on says how `redis` is doing, and `near`, where sessions have copies in this process.
    #[cfg(feature = "redis")]
    pub(crate) fn watch(&self, redis: Redis, near: Option<RedisSessions>) {
        // There is one.
        let _ = self.redis.set(redis::Watched { redis, near });
    }

    /// `router`, with its requests counted.
    pub(crate) fn counted(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.requests.clone(), count))
    }

    /// Answers Prometheus at `/metrics`, and asks the store how it is doing each time.
    pub(crate) fn router(self, store: Arc<dyn SqlStore>) -> Router {
        let scrape = async |State((metrics, store)): State<(Self, Arc<dyn SqlStore>)>| {
            let text = metrics.text(&*store).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            Ok::<_, StatusCode>(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], text))
        };
        Router::new().route("/metrics", get(scrape)).with_state((self, store))
    }

    /// Everything, in the text format of OpenMetrics 1.0.
    async fn text(&self, store: &dyn SqlStore) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        let mut now = prefixed();
        self.hashing.sample(&mut now);
        #[cfg(feature = "redis")]
        if let Some(watched) = self.redis.get() {
            watched.sample(&mut now);
        }
        store::sample(store, SystemClock::new().now(), &mut now).await;
        encode_registry(&mut text, &now)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

async fn count(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let response = next.run(request).await;
    requests.count(&response, begun.elapsed());
    response
}

/// A registry whose metrics are all called `portcullis_…`.
fn prefixed() -> Registry {
    Registry::with_prefix("portcullis")
}
