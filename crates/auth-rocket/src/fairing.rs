//! The fairing that puts Portcullis into an application.

use auth_http::{AuthHttp, Route, csrf};
use rocket::data::Data;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::form::Form;
use rocket::http::{Method, Status};
use rocket::{Build, Request, Response, Rocket};

use crate::deny_by_default::DenyByDefault;
use crate::exchange::{Exchange, Mounted, head_of};
use crate::mount::{self, AFTER_ALL};
use crate::rejection::{self, REFUSED};

/// Puts Portcullis into an application: the operations of the profiles, each below its prefix, and what the guards need.
///
/// ```
/// # use auth_http::AuthHttp;
/// # fn application(auth: &AuthHttp) -> rocket::Rocket<rocket::Build> {
/// rocket::build().attach(auth_rocket::Portcullis::new(auth))
/// # }
/// ```
///
/// - Every path below a prefix is answered here, with a problem where there is nothing, unless a route of the application's
///   own is there. Paths outside remain the application's.
/// - An application without it that has one of the guards doesn't launch.
/// - Manages the [`AuthHttp`], so that handlers find it: `&State<AuthHttp>`.
/// - The throttles count by the other end of the connection, or by what proxies of ours say of it
///   ([`HttpSettings::trusted_proxies`](auth_http::HttpSettings::trusted_proxies)); never by Rocket's `ip_header`.
/// - Replies carry new cookies where a guard has come by them.
#[derive(Debug, Clone)]
#[must_use = "a fairing is attached"]
pub struct Portcullis {
    http: AuthHttp,
    with_root: bool,
    answers_everything: bool,
    deny: Option<DenyByDefault>,
}

impl Portcullis {
    /// With the operations of the profiles.
    pub fn new(http: &AuthHttp) -> Self {
        Self { http: http.clone(), with_root: false, answers_everything: false, deny: None }
    }

    /// And with those at the server's root, for an application that has no probes of its own: `/.well-known/jwks.json`,
    /// `/openapi.json`, `/openapi`, `/healthz`, `/readyz`.
    pub fn with_root_routes(self) -> Self {
        Self { with_root: true, ..self }
    }

    /// And with a session for everything that isn't said to be public.
    pub fn deny_by_default(self, deny: DenyByDefault) -> Self {
        Self { deny: Some(deny), ..self }
    }

    /// And with a problem for every other path.
    pub(crate) fn answering_everything(self) -> Self {
        Self { with_root: true, answers_everything: true, ..self }
    }

    fn mount(&self, rocket: Rocket<Build>) -> Rocket<Build> {
        let mut rocket = rocket.manage(Mounted(self.http.clone()));
        if rocket.state::<AuthHttp>().is_none() {
            rocket = rocket.manage(self.http.clone());
        }
        let unrouted = match &self.deny {
            Some(deny) => {
                let routes: Vec<_> = rocket.routes().cloned().collect();
                rocket = rocket.mount("/", deny.shadows(&self.http, routes));
                DenyByDefault::BEFORE_THE_WALL
            }
            None => AFTER_ALL,
        };
        rocket = rocket.mount("/", mount::operations(&self.http, self.with_root));
        for prefix in self.prefixes() {
            rocket = rocket.mount("/", mount::unrouted(&self.http, prefix, unrouted));
            let base = if prefix.is_empty() { "/" } else { prefix };
            let is_taken = rocket.catchers().any(|catcher| catcher.code == Some(400) && catcher.base.path() == base);
            if !is_taken {
                rocket = rocket.register(base.to_owned(), vec![mount::salvaged(&self.http)]);
            }
        }
        // One that is for a code is asked before one that is for all, unless that is registered at a longer base.
        let mut bases: Vec<_> = rocket.catchers().map(|catcher| catcher.base.path().to_string()).collect();
        bases.push("/".to_owned());
        bases.sort();
        bases.dedup();
        bases.into_iter().fold(rocket, |rocket, base| rocket.register(base, vec![rejection::catcher()]))
    }

    /// What the paths begin with that are answered here; everything, where it is empty.
    fn prefixes(&self) -> Vec<&str> {
        if self.answers_everything {
            return vec![""];
        }
        self.http.profiles().map(|profile| profile.prefix.as_str()).collect()
    }
}

#[rocket::async_trait]
impl Fairing for Portcullis {
    fn info(&self) -> Info {
        Info { name: "Portcullis", kind: Kind::Ignite | Kind::Request | Kind::Response }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        // After the other fairings, which may have routes and catchers of their own.
        Ok(rocket.attach(Mount(self.clone())))
    }

    async fn on_request(&self, request: &mut Request<'_>, data: &mut Data<'_>) {
        if Exchange::of(request).arrival().is_some() {
            return;
        }
        let is_form = request.content_type().is_some_and(|sent| sent.is_form());
        if is_form && (self.answers_everything || mount::may_be_ours(&self.http, self.with_root, request)) {
            undo_override(request, data).await;
        } else if is_form && self.http.wants_form_field(&head_of(request, request.method())) {
            let field = first_field(data).await;
            Exchange::of(request).show_field(field);
        }
        Exchange::of(request).note_method(request.method());
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        if response.status() == REFUSED {
            *response = rejection::left_by_a_guard(request).unwrap_or_else(|| {
                let mut response = Response::new();
                response.set_status(Status::InternalServerError);
                response
            });
        }
        for cookie in Exchange::of(request).take_cookies() {
            let cookie = String::from_utf8_lossy(cookie.as_bytes()).into_owned();
            response.adjoin_raw_header("set-cookie", cookie);
        }
    }
}

/// Mounts, when all others have.
struct Mount(Portcullis);

#[rocket::async_trait]
impl Fairing for Mount {
    fn info(&self) -> Info {
        Info { name: "Portcullis's routes", kind: Kind::Ignite }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        // One is enough: of two, guards would not know whom to ask.
        if rocket.state::<Mounted>().is_some() { Err(rocket) } else { Ok(self.0.mount(rocket)) }
    }
}

/// Makes a `POST` again of what Rocket has turned into something else: a form whose first field is `_method`. Any page may
/// send a form, and no page may send a `DELETE`.
async fn undo_override(request: &mut Request<'_>, data: &mut Data<'_>) {
    // As much as Rocket has read: for more we might wait for ever.
    const ENOUGH: usize = "_method=delete".len();
    let start = data.peek(ENOUGH).await;
    let text = std::str::from_utf8(start).unwrap_or_default();
    let field = Form::values(text).next().filter(|field| field.name == "_method");
    if field.is_some_and(|field| field.value.parse() == Ok(request.method())) {
        request.set_method(Method::Post);
    }
}

/// The CSRF token in a form that begins with it. Guards can't read bodies; what they can be told is how a body begins.
async fn first_field(data: &mut Data<'_>) -> Option<String> {
    const START: usize = 512;
    // Whoever keeps it back has shown no token.
    tokio::time::timeout(Route::BODY_TIMEOUT, data.peek(START)).await.ok()?;
    let is_whole = data.peek_complete();
    let start = data.peek(START).await;
    // The last field may go on.
    let end = if is_whole { start.len() } else { start.iter().rposition(|byte| *byte == b'&')? };
    csrf::form_field(start.get(..end)?).map(std::borrow::Cow::into_owned)
}
