//! Profiles: one set of operations, under several systems' names and manners.

use std::time::Duration;

use auth_core::settings::{ExistingAddress, SecondFactor};
use http::Method;

use crate::cookie::{CookieSettings, SameSite};
use crate::field_names::FieldNames;
use crate::route::{Operation, Route};

/// Under which names the operations are found, and how credentials travel.
///
/// Data, not behaviour: start from one of the profiles below and change what differs.
///
/// ```
/// use auth_http::{Operation, Profile};
/// use http::Method;
///
/// let profile = Profile::tokens()
///     .at("/api/account")
///     .renamed(Operation::SignIn, Method::POST, "/sign-in")
///     .without(Operation::Register); // invitations only: the host has its own handler, which calls the same flow
/// # assert_eq!(profile.prefix, "/api/account");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Profile {
    /// What it is called in the OpenAPI document.
    pub name: String,
    /// What every path begins with: `/v1/auth`.
    pub prefix: String,
    /// Each operation with its method and its path below the prefix.
    pub names: Vec<(Operation, Method, String)>,
    /// How credentials reach the client.
    pub delivery: Delivery,
    /// Names and reach of the cookies, where credentials are delivered in cookies.
    pub cookies: CookieSettings,
    /// Whether an unsafe request that is authenticated by cookie has to show the session's CSRF token too.
    pub csrf_token: bool,
    /// How long its sessions may live; `None`: as long as the core's settings say.
    pub session_max: Option<Duration>,
    /// What registering an address that has an account is answered with.
    pub existing_address: ExistingAddress,
    /// Whether a sign-in takes a second step; `None`: as the core's settings say.
    pub second_factor: Option<SecondFactor>,
    /// What it calls some fields.
    pub field_names: FieldNames,
}

/// How credentials reach the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// Tokens in the reply's body; the client sends the access token as bearer (RFC 6750).
    Body,
    /// A secret in a cookie that scripts can't read, which the browser sends along.
    SessionCookie,
    /// Access token, refresh token and the challenge between two steps of a sign-in, each in such a cookie.
    TokenCookies,
}

impl Profile {
    /// Tokens in the body, below `/v1/auth`, under the canonical names.
    pub fn tokens() -> Self {
        let profile = Self {
            name: "tokens".into(),
            prefix: "/v1/auth".into(),
            names: Operation::canonical(),
            delivery: Delivery::Body,
            cookies: CookieSettings::default(),
            csrf_token: false,
            session_max: None,
            existing_address: ExistingAddress::Conflict,
            second_factor: None,
            field_names: FieldNames::default(),
        };
        profile.without(Operation::ShowCsrfToken)
    }

    /// A session cookie and a CSRF token, below `/auth`, under the canonical names. Sessions live for 7 days, and nobody
    /// learns from a registration who has an account.
    pub fn sessions() -> Self {
        let profile = Self {
            name: "sessions".into(),
            prefix: "/auth".into(),
            delivery: Delivery::SessionCookie,
            csrf_token: true,
            session_max: Some(Duration::from_secs(7 * 86_400)),
            existing_address: ExistingAddress::Conceal,
            names: Operation::canonical(),
            ..Self::tokens()
        };
        profile.without(Operation::Refresh)
    }

    /// Password, then a mailed code, for every sign-in; tokens in cookies that scripts can't read, below `/auth`. Nobody learns
    /// from a registration who has an account. No CSRF token: `SameSite=Lax` and the check of origins stand guard.
    pub fn two_step() -> Self {
        let cookies = CookieSettings {
            session: Some("access_token".into()),
            refresh: Some("refresh_token".into()),
            challenge: Some("two_factor_auth".into()),
            same_site: SameSite::Lax,
            ..CookieSettings::default()
        };
        let profile = Self {
            name: "two-step".into(),
            prefix: "/auth".into(),
            delivery: Delivery::TokenCookies,
            cookies,
            existing_address: ExistingAddress::Conceal,
            second_factor: Some(SecondFactor::EmailRequired),
            ..Self::tokens()
        };
        profile.renamed(Operation::SignIn, Method::POST, "/login/credentials")
    }

    /// User management by mailed codes, below `/api/auth`: tokens in the body; what wants a code is asked for and confirmed under
    /// one name, and replies name the record (`tokenId`) that a code belongs to. Signing up, signing in and resetting are for
    /// guests only.
    pub fn service() -> Self {
        let profile = Self {
            name: "service".into(),
            prefix: "/api/auth".into(),
            field_names: FieldNames::new(&[("imageUrl", "image_url"), ("phoneNumber", "phone_number")]),
            ..Self::tokens()
        };
        let (post, patch, delete) = (Method::POST, Method::PATCH, Method::DELETE);
        profile
            .instead_of(Operation::Register, Operation::SignUp, post.clone(), "/sign-up/email")
            .renamed(Operation::ConfirmVerification, post.clone(), "/verify/email")
            .instead_of(
                Operation::RequestVerification,
                Operation::ResendVerification,
                post.clone(),
                "/resend/verify/email",
            )
            .instead_of(Operation::SignIn, Operation::SignInAtOnce, post.clone(), "/sign-in/email")
            .renamed(Operation::SwitchEmailFactorOn, post.clone(), "/enable/mfa")
            .renamed(Operation::SwitchEmailFactorOff, post.clone(), "/disable/mfa")
            .renamed(Operation::EditProfile, patch.clone(), "/edit/basic")
            .renamed(Operation::MoveByCode, patch.clone(), "/edit/email")
            .renamed(Operation::ChangePasswordByCode, patch.clone(), "/edit/password")
            .renamed(Operation::ResetByCode, patch.clone(), "/forgot/password")
            .renamed(Operation::ShowProfile, post, "/user/me")
            .renamed(Operation::SignOut, delete.clone(), "/user/logout")
            .renamed(Operation::SignOutEverywhere, delete, "/user/logout-all")
            .instead_of(Operation::Refresh, Operation::RefreshByBearer, patch, "/user/refresh")
    }

    /// The same, below another prefix.
    #[must_use]
    pub fn at(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// The same, with an operation under another name.
    #[must_use]
    pub fn renamed(self, operation: Operation, method: Method, path: impl Into<String>) -> Self {
        let mut profile = self.without(operation);
        profile.names.push((operation, method, path.into()));
        profile
    }

    /// The same, with another operation instead of one.
    #[must_use]
    pub fn instead_of(self, before: Operation, operation: Operation, method: Method, path: impl Into<String>) -> Self {
        self.without(before).renamed(operation, method, path)
    }

    /// The same, without an operation.
    #[must_use]
    pub fn without(mut self, operation: Operation) -> Self {
        self.names.retain(|(other, ..)| *other != operation);
        self
    }

    /// Whether it can be served.
    ///
    /// # Errors
    /// [`InvalidProfile`] says why not.
    pub fn check(&self) -> Result<(), InvalidProfile> {
        self.routes().map(drop)
    }

    /// Whether paths below one's prefix may be meant for the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        let is_within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_within(&self.prefix, &other.prefix) || is_within(&other.prefix, &self.prefix)
    }

    pub(crate) fn routes(&self) -> Result<Vec<Route>, InvalidProfile> {
        if !is_path(&self.prefix) {
            return Err(InvalidProfile::Path(self.prefix.clone()));
        }
        let mut routes = Vec::<Route>::with_capacity(self.names.len());
        for (operation, method, path) in &self.names {
            if !is_path(path) {
                return Err(InvalidProfile::Path(path.clone()));
            }
            if ![Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method) {
                return Err(InvalidProfile::Method(method.to_string()));
            }
            let route = Route::new(method.clone(), format!("{}{path}", self.prefix), *operation);
            if routes.iter().any(|other| other.method == route.method && other.path == route.path) {
                return Err(InvalidProfile::Twice(route.path));
            }
            routes.push(route);
        }
        Ok(routes)
    }
}

/// A profile that can't be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProfile {
    /// A prefix or path that doesn't begin with a slash, ends with one, or has an empty segment.
    #[error("{0:?} is no path like /v1/auth")]
    Path(String),
    /// A method other than `GET`, `POST`, `PUT`, `PATCH` and `DELETE`.
    #[error("no operation can be found under the method {0}")]
    Method(String),
    /// Two operations of one name.
    #[error("two operations are called {0}")]
    Twice(String),
}

fn is_path(text: &str) -> bool {
    text.strip_prefix('/').is_some_and(|path| path.split('/').all(|segment| !segment.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_makes_no_sense_is_refused() {
        for prefix in ["", "/", "auth", "/auth/", "//auth"] {
            let profile = Profile::tokens().at(prefix);
            assert_eq!(profile.routes(), Err(InvalidProfile::Path(prefix.into())));
        }
        let head = Profile::tokens().renamed(Operation::ShowProfile, Method::HEAD, "/me");
        assert_eq!(head.routes(), Err(InvalidProfile::Method("HEAD".into())));
        let twice = Profile::tokens().renamed(Operation::SignIn, Method::POST, "/register");
        assert_eq!(twice.routes(), Err(InvalidProfile::Twice("/v1/auth/register".into())));
    }

    #[test]
    fn prefixes_may_not_lie_within_each_other() {
        let overlap = |one: &str, other: &str| Profile::tokens().at(one).overlaps(&Profile::sessions().at(other));
        for (one, other) in [("/auth", "/auth"), ("/auth", "/auth/v2"), ("/a/b/c", "/a")] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [("/auth", "/auth2"), ("/auth", "/v1/auth"), ("/a/b", "/a/c")] {
            assert!(!overlap(one, other) && !overlap(other, one), "{one} {other}");
        }
    }

    #[test]
    fn operations_are_renamed_and_left_out() {
        let profile =
            Profile::tokens().renamed(Operation::SignOut, Method::DELETE, "/session").without(Operation::Register);
        let routes = profile.routes().unwrap();
        assert!(routes.iter().all(|route| route.operation != Operation::Register));
        let sign_out: Vec<_> = routes.iter().filter(|route| route.operation == Operation::SignOut).collect();
        assert!(
            matches!(sign_out[..], [Route { path, method, .. }] if path == "/v1/auth/session" && method == Method::DELETE)
        );
    }
}
