//! What is known of a request, and what its reply is to carry: kept in Rocket's request-local cache.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use auth_http::{AuthHttp, Caller, Problem, Visit};
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use rocket::http::{Method, Status};
use rocket::{Ignite, Request, Rocket};
use tokio::sync::OnceCell;

use crate::rejection::Rejection;
use crate::served::Arrival;

/// What is known of a request, and what its reply is to carry. Private, so that nothing else can put a user into one.
#[derive(Default)]
pub(crate) struct Exchange {
    /// Before Rocket made a `GET` of `HEAD`.
    method: OnceLock<Method>,
    head: OnceLock<Parts>,
    /// What came past Rocket, where its server isn't ours.
    arrival: Option<Arrival>,
    caller: OnceCell<Caller>,
    /// The CSRF token that a form carries.
    field: Mutex<Option<String>>,
    set_cookies: Mutex<Vec<HeaderValue>>,
    refusal: Mutex<Option<Rejection>>,
    forwarded: Mutex<Option<Status>>,
}

impl Exchange {
    /// The request's own.
    pub(crate) fn of<'r>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(Self::default)
    }

    /// Of a request that another server than Rocket's has read.
    pub(crate) fn arrived(head: Parts, arrival: Arrival) -> Self {
        Self { head: OnceLock::from(head), arrival: Some(arrival), ..Self::default() }
    }

    pub(crate) fn arrival(&self) -> Option<&Arrival> {
        self.arrival.as_ref()
    }

    /// Notes the method before Rocket routes.
    pub(crate) fn note_method(&self, method: Method) {
        self.method.get_or_init(|| method);
    }

    /// Method, address and headers, as they were sent.
    pub(crate) fn head(&self, request: &Request<'_>) -> &Parts {
        self.head.get_or_init(|| head_of(request, self.method.get().copied().unwrap_or_else(|| request.method())))
    }

    /// Shows the CSRF token that a form has, or that it has none.
    pub(crate) fn show_field(&self, field: Option<String>) {
        *locked(&self.field) = field;
    }

    /// Keeps what is answered where the handler isn't asked.
    pub(crate) fn refuse(&self, rejection: Rejection) {
        *locked(&self.refusal) = Some(rejection);
    }

    pub(crate) fn refusal(&self) -> Option<Rejection> {
        locked(&self.refusal).clone()
    }

    /// Takes the cookies that whatever reply there is has to carry.
    pub(crate) fn take_cookies(&self) -> Vec<HeaderValue> {
        std::mem::take(&mut locked(&self.set_cookies))
    }

    /// Notes that a route of the application's passed the request on.
    pub(crate) fn note_forwarded(&self, status: Status) {
        *locked(&self.forwarded) = Some(status);
    }

    /// As what the last route passed the request on; 404 where none did.
    pub(crate) fn forwarded(&self) -> Status {
        locked(&self.forwarded).unwrap_or(Status::NotFound)
    }
}

/// What a lock guards is whole at every moment: a panic elsewhere doesn't spoil it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The application's [`AuthHttp`], put there by the fairing.
pub(crate) struct Mounted(pub(crate) AuthHttp);

/// Whether a guard would find nobody to ask: then the application doesn't launch.
pub(crate) fn is_unmounted(rocket: &Rocket<Ignite>) -> bool {
    rocket.state::<Mounted>().is_none()
}

/// A request at a guard.
pub(crate) struct Passage<'r> {
    pub(crate) http: &'r AuthHttp,
    pub(crate) exchange: &'r Exchange,
    head: &'r Parts,
    peer: Option<SocketAddr>,
}

impl<'r> Passage<'r> {
    /// `None` where the fairing isn't attached.
    pub(crate) fn of(request: &'r Request<'_>) -> Option<Self> {
        let Mounted(http) = request.rocket().state::<Mounted>()?;
        Some(Self::with(http, request))
    }

    pub(crate) fn with(http: &'r AuthHttp, request: &'r Request<'_>) -> Self {
        let exchange = Exchange::of(request);
        Self { http, exchange, head: exchange.head(request), peer: request.remote() }
    }
}

impl Visit for Passage<'_> {
    fn head(&self) -> &Parts {
        self.head
    }

    /// Not Rocket's `client_ip`, which believes a header that anybody can send.
    fn peer(&self) -> Option<IpAddr> {
        self.peer.map(|address| address.ip())
    }

    async fn caller(&mut self) -> Result<Caller, Problem> {
        let look_up = || async {
            let field = locked(&self.exchange.field).clone();
            let found = self.http.identify_optional(self.head, self.peer(), field.as_deref()).await;
            let found = found.map(|found| {
                found.map(|identified| {
                    locked(&self.exchange.set_cookies).extend(identified.set_cookies);
                    identified.signed
                })
            });
            Caller::found(found)
        };
        self.exchange.caller.get_or_try_init(look_up).await.cloned()
    }
}

/// A request's head, as it was sent.
pub(crate) fn head_of(request: &Request<'_>, method: Method) -> Parts {
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.method = http::Method::from_bytes(method.as_str().as_bytes()).unwrap_or_default();
    head.headers = headers(request);
    head.uri = uri(request, head.headers.contains_key(HOST));
    head
}

fn headers(request: &Request<'_>) -> HeaderMap {
    let pair = |name: &str, value: &str| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers().iter().filter_map(|header| pair(header.name.as_str(), header.value())) {
        headers.append(name, value);
    }
    headers
}

/// The raw path: Rocket's segments are decoded, and leave out those that are empty. HTTP/2 has the host in here.
fn uri(request: &Request<'_>, has_host: bool) -> Uri {
    let sent = request.uri().to_string();
    let whole = request.host().filter(|_| !has_host).and_then(|host| {
        Uri::builder().scheme("http").authority(host.to_string()).path_and_query(sent.as_str()).build().ok()
    });
    // Nothing is found at a path that no server hands on.
    whole.or_else(|| sent.parse().ok()).unwrap_or_default()
}
