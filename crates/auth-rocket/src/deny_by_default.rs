//! Everything needs a session, unless it is said not to.

use std::sync::Arc;

use auth_http::{AuthHttp, Check, Demand, Public};
use rocket::Request;
use rocket::data::Data;
use rocket::http::Method;
use rocket::route::{Handler, Outcome, Route};

use crate::exchange::{Exchange, Passage};
use crate::mount::METHODS;
use crate::rejection::Rejection;

/// What needs no session in an application where everything else does: for
/// [`Portcullis::deny_by_default`](crate::Portcullis::deny_by_default).
///
/// A mark names a method and a path, as Rocket has it. So a forgotten mark shows as 401 at the first try, a misspelt one
/// likewise, and another method at a public path stays closed. Nothing becomes public by where it stands.
///
/// ```
/// use auth_http::AuthHttp;
/// use auth_rocket::{DenyByDefault, Portcullis};
/// use rocket::http::Method;
/// use rocket::{Build, Rocket, get, routes};
///
/// #[get("/")]
/// fn welcome() -> &'static str {
///     "Welcome"
/// }
///
/// #[get("/<id>")]
/// fn post(id: u32) -> String {
///     format!("Post {id}")
/// }
///
/// #[get("/account")]
/// fn account() -> &'static str {
///     "Yours"
/// }
///
/// fn application(auth: &AuthHttp) -> Rocket<Build> {
///     let deny = DenyByDefault::new().public(Method::Get, "/").public(Method::Get, "/posts/<id>");
///     rocket::build()
///         .mount("/", routes![welcome, account])
///         .mount("/posts", routes![post])
///         .attach(Portcullis::new(auth).deny_by_default(deny))
/// }
/// ```
///
/// - What Portcullis itself answers is let through: its operations ask for themselves.
/// - A path without a route is 401 too, so that guests don't learn which there are.
/// - Routes that ask for more have guards of their own.
/// - Each route is there twice: Rocket has no layers, and only a route is told which one it is. The first asks, and then does
///   what the second does, which is never come to. A route that some fairing mounts after all others is never come to at all,
///   but for one that is for `HEAD` alone: no wall stands there, so such a route has to ask for itself.
#[derive(Debug, Clone, Default)]
pub struct DenyByDefault {
    public: Public,
}

/// What each route of the application's comes before itself by.
const SHADOWS: isize = -2_000_000;
/// What is behind this is never come to.
const WALL: isize = -1_000_000;

impl DenyByDefault {
    pub(crate) const BEFORE_THE_WALL: isize = WALL - 1;

    /// Nothing is public.
    pub fn new() -> Self {
        Self::default()
    }

    /// Marks a route: `path` as Rocket has it, with the base that it is mounted at, and without its query. `HEAD` goes
    /// wherever `GET` goes.
    ///
    /// # Panics
    /// Where `path` doesn't begin with a slash.
    #[must_use]
    pub fn public(mut self, method: Method, path: impl Into<String>) -> Self {
        self.public.add(as_http(method), path);
        self
    }

    /// Marks `folder` and everything below it, whichever route it comes to: `/assets` with a file server.
    ///
    /// # Panics
    /// Where `folder` isn't a path like `/assets`.
    #[must_use]
    pub fn public_below(mut self, folder: impl Into<String>) -> Self {
        self.public.add_below(folder);
        self
    }

    /// What is to be mounted beside the application's routes.
    pub(crate) fn shadows(&self, http: &AuthHttp, routes: Vec<Route>) -> Vec<Route> {
        let gate = Gate { http: http.clone(), public: Arc::new(self.public.clone()) };
        let shadow = |mut route: Route| {
            let is_public = self.public.has_route(&as_http(route.method), route.uri.path());
            route.rank = route.rank.saturating_add(SHADOWS);
            route.handler = Box::new(Shadow { gate: gate.clone(), is_public, of: route.handler, method: route.method });
            route
        };
        let wall = |method| {
            let mut route = Route::ranked(WALL, method, "/<path..>", Wall(gate.clone()));
            route.name = Some("nothing".into());
            route
        };
        let walls = METHODS.into_iter().filter(|method| *method != Method::Head).map(wall);
        routes.into_iter().map(shadow).chain(walls).collect()
    }
}

fn as_http(method: Method) -> http::Method {
    http::Method::from_bytes(method.as_str().as_bytes()).unwrap_or_default()
}

#[derive(Clone)]
struct Gate {
    http: AuthHttp,
    public: Arc<Public>,
}

impl Gate {
    /// The reply to whoever may not go on.
    async fn refusal<'r>(&self, is_public: bool, request: &'r Request<'_>) -> Option<Outcome<'r>> {
        let sent = Exchange::of(request).head(request).uri.path();
        if is_public || self.public.has_below(sent) {
            return None;
        }
        let mut passage = Passage::with(&self.http, request);
        let problem = Check::Demand(Demand::Session).admit(&self.http, &mut passage).await.err()?;
        Some(Outcome::Success(Rejection::new(&self.http, problem, &passage).into_response()))
    }
}

/// A route of the application's, for whoever may come to it.
#[derive(Clone)]
struct Shadow {
    gate: Gate,
    is_public: bool,
    of: Box<dyn Handler>,
    method: Method,
}

#[rocket::async_trait]
impl Handler for Shadow {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        if let Some(refusal) = self.gate.refusal(self.is_public, request).await {
            return refusal;
        }
        match self.of.handle(request, data).await {
            // No wall is in the way of `HEAD`, which Rocket tries as `GET` where nobody takes it.
            Outcome::Forward((_, status)) if self.method == Method::Head => Outcome::Error(status),
            Outcome::Forward((data, status)) => {
                Exchange::of(request).note_forwarded(status);
                Outcome::Forward((data, status))
            }
            outcome => outcome,
        }
    }
}

/// Where a request ends that no route has taken.
#[derive(Clone)]
struct Wall(Gate);

#[rocket::async_trait]
impl Handler for Wall {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let refusal = self.0.refusal(false, request).await;
        refusal.unwrap_or_else(|| Outcome::Error(Exchange::of(request).forwarded()))
    }
}
