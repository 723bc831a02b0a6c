//! What is measured: a route, and the requests that are sent to it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use auth_axum::CurrentUser;
use auth_core::access_token::{AccessTokens, Ed25519Key, Grant, HmacSecret, KeySet};
use auth_core::adapter::{DangerNoThrottle, NoBreachCheck, OpenPolicy, SystemClock, SystemEntropy};
use auth_core::domain::{Session, Timestamp, User};
use auth_core::keys::{KeyRing, Pepper};
use auth_core::port::{Change, Clock, SessionCache, Store};
use auth_core::settings::{AccessCheck, Settings};
use auth_core::{Auth, Parts, Signing};
use auth_http::{AuthHttp, HttpSettings, Profile};
use auth_testkit::{FastHasher, given};
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::CONTENT_TYPE;

use crate::Outcome;

/// One for all, since cases may share a store.
static PEPPER: LazyLock<[u8; 32]> = LazyLock::new(given::bytes);

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The least ratio that we want.
    pub(crate) target: Option<f64>,
    pub(crate) requests: Arc<[Vec<u8>]>,
}

impl Case {
    /// A route that asks for nobody, and its request.
    pub(crate) fn bare(router: Router) -> (Router, Self) {
        let email = given::email();
        let route = get(async move || hello(&email.to_string()));
        let case = Self { name: "bare axum", target: None, requests: Arc::new([request("/bare", "")]) };
        (router.route("/bare", route), case)
    }
}

/// How tokens are signed, and how many there are, each of a session of its own.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) target: f64,
    pub(crate) algorithm: Algorithm,
    pub(crate) check: AccessCheck,
    pub(crate) tokens: usize,
}

pub(crate) enum Algorithm {
    EdDsa,
    Hs256,
}

impl Kind {
    /// A route guarded by [`CurrentUser`] over `store`, and `cache` before it, and the requests of those who are signed in.
    pub(crate) async fn guard(
        &self,
        router: Router,
        store: Arc<dyn Store>,
        cache: Option<Arc<dyn SessionCache>>,
    ) -> Outcome<(Router, Case)> {
        let mut settings = Settings::new("https://auth.example.com");
        settings.access_check = self.check;
        let (signing, keys) = match self.algorithm {
            Algorithm::EdDsa => {
                let key = Ed25519Key::generate(&SystemEntropy)?;
                let same = Ed25519Key::from_pkcs8(key.pkcs8())?;
                (Signing::Own(key), KeySet::ed25519(vec![same]))
            }
            Algorithm::Hs256 => {
                let secret = HmacSecret::new(&given::bytes::<32>())?;
                (Signing::Secret(secret.clone()), KeySet::hmac(secret))
            }
        };
        let clock = SystemClock::new();
        let now = clock.now();
        let tokens = AccessTokens::new(settings.public_url.clone(), settings.audience.clone(), keys);
        let user = User { created_at: now, ..given::user() };
        let sessions: Vec<Session> = (0..self.tokens).map(|_| session(&user, now)).collect();
        let mut changes = vec![Change::CreateUser { user: user.clone(), password: Some(given::hash()) }];
        changes.extend(sessions.iter().cloned().map(Change::OpenSession));
        store.commit(&changes).await?;

        let path = format!("/{}", given::id::<uuid::Uuid>().simple());
        let bearers = sessions.iter().map(|session| {
            let ttl = Duration::from_secs(3600);
            let token = tokens.issue(&Grant { user: &user, session, now, ttl }, &SystemEntropy)?;
            Ok(request(&path, &format!("authorization: Bearer {}\r\n", token.expose())))
        });
        let requests = bearers.collect::<Outcome<Vec<_>>>()?;

        let parts = Parts {
            store,
            cache,
            idempotency: None,
            clock: Arc::new(clock),
            entropy: Arc::new(SystemEntropy),
            hasher: Arc::new(FastHasher::default()),
            throttle: Arc::new(DangerNoThrottle),
            breached: Arc::new(NoBreachCheck),
            policy: Arc::new(OpenPolicy),
            observer: None,
            ring: KeyRing::new(&Pepper::new(*PEPPER)?, &[]),
            signing,
            settings,
        };
        let http = AuthHttp::new(Auth::start(parts).await?, [Profile::tokens()], HttpSettings::default())?;
        let route = get(async |user: CurrentUser| hello(&user.email.to_string()));
        let router = router.merge(Router::new().route(&path, route).with_state(http));
        Ok((router, Case { name: self.name, target: Some(self.target), requests: requests.into() }))
    }
}

fn session(user: &User, now: Timestamp) -> Session {
    let day = given::DAY;
    let (created_at, authenticated_at, last_seen_at) = (now, now, now);
    let (idle_until, ends_at, kept_until) = (now + 7 * day, now + 30 * day, now + 31 * day);
    Session { created_at, authenticated_at, last_seen_at, idle_until, ends_at, kept_until, ..given::session(user) }
}

fn hello(email: &str) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], serde_json::json!({ "hello": email }).to_string())
}

fn request(path: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench\r\naccept: */*\r\n{more}\r\n").into_bytes()
}
