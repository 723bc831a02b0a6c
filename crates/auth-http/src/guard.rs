//! Guards for a host's own routes, whatever its framework: what a route may demand, and what is answered instead.

use std::borrow::Cow;
use std::net::IpAddr;

use auth_core::domain::Signed;
use auth_core::flow::throttle;
use auth_core::port::Limit;
use http::HeaderMap;

use crate::auth_http::AuthHttp;
use crate::problem::{Problem, ProblemCode};

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
    /// No live session. A dead credential is none, so that an expired one doesn't keep anybody from signing in anew.
    Guest,
}

impl AuthHttp {
    /// Lets `signed` through, or nobody where that is what is demanded. Asks nobody: roles are those read with the session.
    ///
    /// # Errors
    /// 401 where somebody has to be signed in; 403 where they may not; 500 for a permission that the settings don't name,
    /// since it is probably misspelt.
    pub fn admit_to(&self, demand: &Demand, signed: Option<&Signed>) -> Result<(), Problem> {
        let user = match (demand, signed) {
            (Demand::Guest, None) => return Ok(()),
            (Demand::Guest, Some(_)) => {
                return Err(Problem::new(ProblemCode::GuestsOnly, "You are signed in already."));
            }
            (_, None) => return Err(Problem::unauthorized()),
            (_, Some(signed)) => &signed.user,
        };
        let is_met = match demand {
            Demand::Guest | Demand::Session => true,
            Demand::Verified if user.email_verified_at.is_none() => {
                return Err(Problem::new(ProblemCode::EmailNotVerified, "Prove your e-mail address first."));
            }
            Demand::Verified => true,
            Demand::Role(name) => user.roles.iter().any(|role| role.as_str() == name),
            Demand::Permission(name) if !self.auth().settings().permissions.knows(name) => {
                return Err(Problem::internal(format!("the settings name no permission {name:?}")));
            }
            Demand::Permission(name) => self.auth().permits(user, name),
        };
        if is_met { Ok(()) } else { Err(Problem::forbidden()) }
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
