//! Layers that let requests through to an application's own routes, or don't.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_core::domain::Role;
use auth_core::port::Limit;
use auth_http::{AuthHttp, Check, Demand, Problem, Public};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower::{Layer, Service};

use crate::deny_by_default::{DenyByDefault, is_public};
use crate::identify::Rejection;
use crate::visit::{Passage, with_cookies};

/// Guards for an application's own routes, as layers: of a route, of all routes of a router, or of one with its fallback.
///
/// ```
/// use auth_axum::Guards;
/// use auth_http::AuthHttp;
/// use axum::{Router, routing::{get, post}};
///
/// fn routes(auth: &AuthHttp) -> Router {
///     Router::new()
///         .route("/drafts", get(async || "…"))
///         .route("/publish", post(async || "…").route_layer(auth.require_role("editor")))
///         .route_layer(auth.require_session())
/// }
/// ```
///
/// - What is refused is answered as `application/problem+json`: 401 without a live session, 403 where it won't do.
/// - Whoever asks is looked up once a request, in one query, however many layers and extractors want to know.
/// - A browser's unsafe request has to come from an origin of ours, with the session's CSRF token: a script sends it in the
///   header `X-CSRF-Token`, a form in its field `csrf_token` (`application/x-www-form-urlencoded`, 2 MiB at most, which are
///   read for it and handed on). See [`CsrfToken`](crate::CsrfToken).
/// - A browser whose user was given or taken a role gets a new secret with the reply.
/// - The layer added last is asked first.
pub trait Guards {
    /// Whoever is signed in.
    fn require_session(&self) -> Guard;

    /// Who proved their address; others are answered with 403 `EMAIL_NOT_VERIFIED`.
    fn require_verified(&self) -> Guard;

    /// Who holds the role.
    ///
    /// # Panics
    /// Where no role can have that name.
    fn require_role(&self, role: impl Into<Cow<'static, str>>) -> Guard;

    /// Who has the permission: holds one of the roles that
    /// [`Settings::permissions`](auth_core::settings::Settings::permissions) name for it.
    ///
    /// # Panics
    /// Where the settings don't name it.
    fn require_permission(&self, permission: impl Into<Cow<'static, str>>) -> Guard;

    /// Who proved within the last 10 minutes who they are; others are answered with 403 `REAUTHENTICATION_REQUIRED`. For what
    /// an unattended screen must not do (ASVS 7.5.3).
    fn require_fresh(&self) -> Guard;

    /// Who is not signed in; others are answered with 403 `GUESTS_ONLY`.
    fn guests_only(&self) -> Guard;

    /// So many requests per client address; one more is answered with 429. Routes under one `name` are counted together,
    /// apart from what Portcullis counts itself.
    fn rate_limit(&self, name: &'static str, limit: Limit) -> Guard;

    /// Everybody, signed in or not; whoever is signed in is looked up. One with a dead access token is answered with 401, so
    /// that the client notices.
    fn optional_session(&self) -> Guard;

    /// What no other site makes a browser send: an unsafe method needs an origin of ours, and, where a cookie authenticates
    /// it, the session's CSRF token, in the header `X-CSRF-Token` or in a form's field `csrf_token`.
    ///
    /// The other guards ask for the same wherever a cookie authenticates the request. This one is for routes that guests may
    /// call too.
    fn csrf(&self) -> Guard;

    /// Whoever is signed in, for everything that isn't said to be public.
    fn deny_by_default(&self) -> DenyByDefault;
}

impl Guards for AuthHttp {
    fn require_session(&self) -> Guard {
        Guard::new(self, Check::Demand(Demand::Session))
    }

    fn require_verified(&self) -> Guard {
        Guard::new(self, Check::Demand(Demand::Verified))
    }

    fn require_role(&self, role: impl Into<Cow<'static, str>>) -> Guard {
        let role = role.into();
        assert!(Role::is_name(&role), "no role can be called {role:?}");
        Guard::new(self, Check::Demand(Demand::Role(role)))
    }

    fn require_permission(&self, permission: impl Into<Cow<'static, str>>) -> Guard {
        let permission = permission.into();
        assert!(
            self.auth().settings().permissions.knows(&permission),
            "the settings name no permission {permission:?}"
        );
        Guard::new(self, Check::Demand(Demand::Permission(permission)))
    }

    fn require_fresh(&self) -> Guard {
        Guard::new(self, Check::Demand(Demand::Fresh))
    }

    fn guests_only(&self) -> Guard {
        Guard::new(self, Check::Demand(Demand::Guest))
    }

    fn rate_limit(&self, name: &'static str, limit: Limit) -> Guard {
        Guard::new(self, Check::Rate { name, limit })
    }

    fn optional_session(&self) -> Guard {
        Guard::new(self, Check::Optional)
    }

    fn csrf(&self) -> Guard {
        Guard::new(self, Check::Csrf)
    }

    fn deny_by_default(&self) -> DenyByDefault {
        DenyByDefault::new(self)
    }
}

/// A layer made by [`Guards`].
#[derive(Clone)]
#[must_use = "a guard is put on routes with `layer` or `route_layer`"]
pub struct Guard {
    http: AuthHttp,
    check: Arc<Check>,
    /// What is let through unasked.
    except: Option<Arc<Public>>,
}

impl Guard {
    fn new(http: &AuthHttp, check: Check) -> Self {
        Self { http: http.clone(), check: Arc::new(check), except: None }
    }

    /// Whoever is signed in, unless the request comes to something public.
    pub(crate) fn unless(http: &AuthHttp, public: Arc<Public>) -> Self {
        Self { except: Some(public), ..Self::new(http, Check::Demand(Demand::Session)) }
    }

    /// Lets the visit go on, or not.
    async fn admit(&self, visit: &mut Passage<'_>) -> Result<(), Problem> {
        if self.except.as_ref().is_some_and(|public| is_public(public, &visit.parts)) {
            return Ok(());
        }
        self.check.admit(&self.http, visit).await.map(drop)
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { guard: self.clone(), inner }
    }
}

/// A service behind a [`Guard`].
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    guard: Guard,
    inner: S,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let guard = self.guard.clone();
        // The one that was polled ready goes with the request; a fresh clone stays.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(async move {
            let mut visit = Passage::new(&guard.http, request);
            match guard.admit(&mut visit).await {
                Ok(()) => {
                    let (request, set_cookies) = visit.go_on();
                    inner.call(request).await.map(|response| with_cookies(response.into_response(), set_cookies))
                }
                Err(problem) => {
                    let rejection = Rejection::new(&guard.http, problem, &visit.parts);
                    Ok(with_cookies(rejection.into_response(), visit.go_on().1))
                }
            }
        })
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("check", &self.check).field("except", &self.except).finish_non_exhaustive()
    }
}
