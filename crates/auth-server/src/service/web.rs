//! The web framework that the configuration names.

use auth_http::AuthHttp;
use axum::Router;

use crate::Failure;
use crate::config::Web;

/// Whatever is asked, by way of that framework: for the one listener, which bounds connections, heads and bodies alike.
pub(crate) async fn open(web: Web, http: &AuthHttp) -> Result<Router, Failure> {
    Ok(match web {
        Web::Axum => auth_axum::service(http),
        #[cfg(feature = "rocket")]
        Web::Rocket => rocket::open(http).await?,
    })
}

#[cfg(feature = "rocket")]
mod rocket {
    use std::net::SocketAddr;

    use auth_http::AuthHttp;
    use auth_rocket::Served;
    use axum::Router;
    use axum::body::Body;
    use axum::extract::{ConnectInfo, Request};

    use crate::Failure;

    /// Rocket, without its server: that takes any number of connections, and waits for a head and for the start of a body as
    /// long as a client likes.
    pub(super) async fn open(http: &AuthHttp) -> Result<Router, Failure> {
        // Rocket's error panics when it is dropped unread.
        let served = Served::launch(http).await.map_err(|error| error.to_string())?;
        let answer = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
            served.answer(request, Some(peer)).await.map(Body::from)
        };
        Ok(Router::new().fallback(answer))
    }
}
