//! Portcullis for Rocket.
//!
//! The fairing [`Portcullis`] puts the routes of the profiles into an application; [`CurrentUser`], [`HasRole`] and their like
//! guard the application's own handlers.
//!
//! ```
//! use auth_http::AuthHttp;
//! use auth_rocket::{CurrentUser, Portcullis};
//! use rocket::{Build, Rocket, get, routes};
//!
//! #[get("/hello")]
//! fn hello(user: CurrentUser) -> String {
//!     format!("Hello, {}", user.email)
//! }
//!
//! fn application(auth: &AuthHttp) -> Rocket<Build> {
//!     rocket::build().mount("/", routes![hello]).attach(Portcullis::new(auth))
//! }
//! ```
//!
//! Refused requests are answered with a problem, `application/problem+json`, whatever catchers the application has.

mod deny_by_default;
mod exchange;
mod fairing;
mod form;
mod guards;
mod mount;
mod rate_limit;
mod rejection;
mod reply;
mod served;

pub use auth_http::{Admin, PermissionName, RoleName, permissions, roles};
pub use deny_by_default::DenyByDefault;
pub use fairing::Portcullis;
pub use form::{CsrfForm, CsrfFormError};
pub use guards::{
    Csrf, CsrfToken, CurrentSession, CurrentUser, FreshSession, FreshUser, Guest, HasPermission, HasRole, Maybe,
    VerifiedUser,
};
pub use rate_limit::{Limited, RateLimit};
pub use rejection::Rejection;
pub use served::{Served, service};
