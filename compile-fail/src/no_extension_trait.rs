//! The guards are a trait's, which has to be in scope.
//~ no method named `require_session` found for reference `&AuthHttp`
//~ use auth_axum::Guards;

use auth_http::AuthHttp;
use axum::Router;

fn guarded(router: Router, auth: &AuthHttp) -> Router {
    router.merge(auth_axum::router(auth)).layer(auth.require_session())
}
