//! Guards for a host's own routes, whatever its framework: what a route may demand, and what is answered instead.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use auth_core::domain::{Role, Signed};
use auth_core::flow::authenticate::{self, AuthenticateError};
use auth_core::flow::throttle;
use auth_core::port::Limit;
use http::HeaderMap;
use http::request::Parts;

use crate::auth_http::AuthHttp;
use crate::caller::Caller;
use crate::name::{PermissionName, RoleName};
use crate::problem::Problem;

/// What a guard asks of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Of whoever asks.
    Demand(Demand),
    /// Nothing, but that whoever has a dead access token notices.
    Optional,
    /// That no other site makes a browser send it: an unsafe method comes from an origin of ours, and with the session's CSRF
    /// token where a cookie authenticates it.
    Csrf,
    /// That its client has not sent too many.
    Rate {
        /// Under which they are counted together.
        name: &'static str,
        /// How many there may be.
        limit: Limit,
    },
}

/// A request at a guard, as an adapter knows it.
pub trait Visit: Send {
    /// Method, address and headers, as they were sent.
    fn head(&self) -> &Parts;

    /// The other end of the connection.
    fn peer(&self) -> Option<IpAddr>;

    /// Who asks: looked up once a request.
    fn caller(&mut self) -> impl Future<Output = Result<Caller, Problem>> + Send;
}

impl Check {
    /// Lets the request through, and says who is signed in, where it was asked.
    ///
    /// # Errors
    /// What to answer instead.
    pub async fn admit(&self, http: &AuthHttp, visit: &mut impl Visit) -> Result<Option<Arc<Signed>>, Problem> {
        match self {
            Self::Demand(demand) => visit.caller().await?.admit(http, demand).await,
            Self::Optional => visit.caller().await?.optional(),
            Self::Csrf if visit.head().method.is_safe() => Ok(None),
            Self::Csrf => {
                http.check_origin(visit.head())?;
                Ok(visit.caller().await?.signed().cloned())
            }
            Self::Rate { name, limit } => {
                http.count(name, *limit, &visit.head().headers, visit.peer()).await?;
                Ok(None)
            }
        }
    }

    /// The same, where somebody has to be signed in.
    ///
    /// # Errors
    /// As [`admit`](Self::admit); 401 where nobody is.
    pub async fn admit_somebody(&self, http: &AuthHttp, visit: &mut impl Visit) -> Result<Arc<Signed>, Problem> {
        self.admit(http, visit).await?.ok_or_else(Problem::unauthorized)
    }
}

/// What a route demands of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Demand {
    /// A live session.
    Session,
    /// A live session of a user who proved their address.
    Verified,
    /// A live session of a user who holds the role of that name.
    Role(Cow<'static, str>),
    /// A live session of a user whom [`Settings::permissions`](auth_core::settings::Settings::permissions) give this one.
    Permission(Cow<'static, str>),
    /// A live session of a user who proved just now who they are: within
    /// [10 minutes](auth_core::domain::Signed::is_fresh).
    Fresh,
    /// No live session. A dead credential is none, so that an expired one doesn't keep anybody from signing in anew.
    Guest,
}

impl Demand {
    /// Who holds the role `R`. A name that no role can have doesn't compile.
    pub const fn role<R: RoleName>() -> Self {
        const { assert!(Role::is_name(R::NAME), "no role can have this name: see RoleName::NAME") };
        Self::Role(Cow::Borrowed(R::NAME))
    }

    /// Whether the store is asked however a session was found: who administers others, or proved just now who they are, is
    /// never let in by a copy (SE5).
    pub fn wants_certainty(&self) -> bool {
        matches!(self, Self::Fresh) || matches!(self, Self::Role(name) if name == Role::ADMIN)
    }

    /// Who has the permission `P`.
    pub const fn permission<P: PermissionName>() -> Self {
        Self::Permission(Cow::Borrowed(P::NAME))
    }
}

impl AuthHttp {
    /// Lets `signed` through, or nobody where that is what is demanded, and says who it is. User and roles are those that were
    /// read with the session, unless the demand [wants certainty](Demand::wants_certainty): then the store is asked, where a
    /// cache has answered before.
    ///
    /// # Errors
    /// 401 where somebody has to be signed in; 403 where they may not; 500 for a permission that the settings don't name,
    /// since it is probably misspelt; what the store's failure is answered with.
    pub async fn admit_to(
        &self,
        demand: &Demand,
        signed: Option<&Arc<Signed>>,
    ) -> Result<Option<Arc<Signed>>, Problem> {
        let signed = match (demand, signed) {
            (Demand::Guest, None) => return Ok(None),
            (Demand::Guest, Some(signed)) => {
                return match authenticate::confirm(self.auth(), signed).await {
                    Ok(_) => Err(Problem::guests_only()),
                    Err(AuthenticateError::Unauthorized) => Ok(None),
                    Err(error) => Err(error.into()),
                };
            }
            (_, None) => return Err(Problem::unauthorized()),
            (_, Some(signed)) if demand.wants_certainty() => authenticate::confirm(self.auth(), signed).await?,
            (_, Some(signed)) => Arc::clone(signed),
        };
        let (user, now) = (&signed.user, self.auth().now());
        match demand {
            Demand::Guest | Demand::Session => {}
            // Where access tokens are taken at their word, their session may be dead. What asks for more isn't for the
            // suspended.
            _ if !signed.session.is_live(user, now) => return Err(Problem::unauthorized()),
            Demand::Verified => unless(user.email_verified_at.is_some(), Problem::email_not_verified)?,
            Demand::Role(name) => unless(user.roles.iter().any(|role| role.as_str() == name), Problem::forbidden)?,
            Demand::Permission(name) if !self.auth().settings().permissions.knows(name) => {
                return Err(Problem::internal(format!("the settings name no permission {name:?}")));
            }
            Demand::Permission(name) => unless(self.auth().permits(user, name), Problem::forbidden)?,
            Demand::Fresh => unless(signed.is_fresh(now), Problem::reauthentication_required)?,
        }
        Ok(Some(signed))
    }

    /// Counts a request against a limit of the host's, by the client's address: routes under the same `name` are counted
    /// together. `peer` is as for [`handle`](Self::handle).
    ///
    /// # Errors
    /// 429 where the limit is reached. A refusal is not counted.
    pub async fn count(
        &self,
        name: &str,
        limit: Limit,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<(), Problem> {
        Ok(throttle::count(self.auth(), name, limit, &self.context(headers, peer)).await?)
    }
}

fn unless(is_met: bool, problem: fn() -> Problem) -> Result<(), Problem> {
    if is_met { Ok(()) } else { Err(problem()) }
}
