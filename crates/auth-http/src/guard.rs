//! Guards for a host's own routes, whatever its framework: what a route may demand, and what is answered instead.

use std::borrow::Cow;
use std::net::IpAddr;

use auth_core::domain::Signed;
use auth_core::flow::throttle;
use auth_core::port::Limit;
use http::HeaderMap;

use crate::auth_http::AuthHttp;
use crate::problem::Problem;

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

impl AuthHttp {
    /// Lets `signed` through, or nobody where that is what is demanded. Asks nobody: user and roles are those that were read
    /// with the session.
    ///
    /// # Errors
    /// 401 where somebody has to be signed in; 403 where they may not; 500 for a permission that the settings don't name,
    /// since it is probably misspelt.
    pub fn admit_to(&self, demand: &Demand, signed: Option<&Signed>) -> Result<(), Problem> {
        let signed = match (demand, signed) {
            (Demand::Guest, None) => return Ok(()),
            (Demand::Guest, Some(_)) => return Err(Problem::guests_only()),
            (_, None) => return Err(Problem::unauthorized()),
            (_, Some(signed)) => signed,
        };
        let (user, now) = (&signed.user, self.auth().now());
        match demand {
            Demand::Guest | Demand::Session => Ok(()),
            // Where access tokens are taken at their word, their session may be dead. What asks for more isn't for the
            // suspended.
            _ if !signed.session.is_live(user, now) => Err(Problem::unauthorized()),
            Demand::Verified => unless(user.email_verified_at.is_some(), Problem::email_not_verified),
            Demand::Role(name) => unless(user.roles.iter().any(|role| role.as_str() == name), Problem::forbidden),
            Demand::Permission(name) if !self.auth().settings().permissions.knows(name) => {
                Err(Problem::internal(format!("the settings name no permission {name:?}")))
            }
            Demand::Permission(name) => unless(self.auth().permits(user, name), Problem::forbidden),
            Demand::Fresh => unless(signed.is_fresh(now), Problem::reauthentication_required),
        }
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
