//! Portcullis for axum.
//!
//! [`router`] holds the routes of a profile, to be merged into an application's own router; [`CurrentUser`] and
//! [`CurrentSession`] guard the application's handlers.
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use auth_axum::CurrentUser;
//! use auth_http::AuthHttp;
//! use axum::{Router, routing::get};
//!
//! async fn hello(user: CurrentUser) -> String {
//!     format!("Hello, {}", user.email)
//! }
//!
//! async fn serve(auth: AuthHttp) -> std::io::Result<()> {
//!     let app = Router::new()
//!         .route("/hello", get(hello))
//!         .merge(auth_axum::router(&auth))
//!         .with_state(auth);
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     // With the peers' addresses: the throttles count by them.
//!     axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
//! }
//! ```
//!
//! Merge the router, don't `nest` it: the prefix is the profile's, and paths are compared as the client sent them.

mod deny_by_default;
mod extract;
mod guard;
mod identify;
mod router;
mod visit;

pub use auth_http::{Admin, PermissionName, RoleName, permissions, roles};
pub use deny_by_default::DenyByDefault;
pub use extract::{
    AuthState, CsrfToken, CurrentSession, CurrentUser, FreshSession, FreshUser, Guest, HasPermission, HasRole,
    VerifiedUser,
};
pub use guard::{Guard, Guarded, Guards};
pub use identify::Rejection;
pub use router::{root_router, router, service};
