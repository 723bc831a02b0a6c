//! The HTTP wire of Portcullis, independent of any web framework: route table, profiles, replies and problems.
//!
//! [`AuthHttp`] answers `http::Request<Bytes>` with `http::Response<Bytes>`; adapters such as `auth-axum` translate
//! between that and their framework, and nothing more. No other crate knows status codes or JSON field names.
//!
//! What a request passes, in order: the name it was sent to (development only), its origin, the throttle of its client
//! address, the rules for bodies, and then the one operation of its route. Each operation decodes, calls one flow of
//! [`auth_core`], and replies.

mod auth_http;
mod bearer;
mod body;
mod caller;
mod client;
mod cookie;
mod cors;
pub mod csrf;
mod endpoint;
mod field_names;
mod fields;
mod guard;
mod idempotency;
mod identity;
mod misdirected;
mod mount;
mod name;
mod openapi;
mod origin;
mod page;
mod problem;
mod profile;
mod public;
mod read;
mod readiness;
pub mod reply;
mod request;
mod request_id;
mod return_to;
mod route;
mod settings;
mod signed;
mod span;

pub use auth_http::{AuthHttp, SetupError};
pub use caller::Caller;
pub use cookie::{CookieSettings, SameSite};
pub use field_names::FieldNames;
pub use guard::{Check, Demand, Visit};
pub use identity::Identified;
#[doc(hidden)]
pub use name::__is_role_name;
pub use name::{Admin, PermissionName, RoleName};
pub use origin::{InvalidOrigin, Origin};
pub use problem::{FieldError, Problem, ProblemCode};
pub use profile::{Delivery, InvalidProfile, Profile};
pub use public::Public;
pub use read::{read, read_body};
pub use return_to::{InvalidReturnTo, ReturnTo};
pub use route::{Access, Operation, Route};
pub use settings::HttpSettings;
pub use span::Answered;
