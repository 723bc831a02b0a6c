//! The router's state is of the application's own, and has no `AuthHttp` in it.
//~ there is no `AuthHttp` in the router's state `App`
//~ make it the state, `.with_state(auth)`, or a field of a state with `#[derive(axum::extract::FromRef)]`

use auth_axum::CurrentUser;

#[derive(Clone)]
struct App;

#[axum::debug_handler(state = App)]
async fn hello(user: CurrentUser) -> String {
    user.email.to_string()
}
