//! Rocket says what axum says: the requests of every check, answered by both, on the store in memory. What is compared, and
//! what can't be, is said at [`auth_testkit::http::Alike`].

#[path = "../../auth-axum/tests/mounted.rs"]
mod axum;

/// Through Rocket's own server, over a socket.
mod server {
    use auth_testkit::http::Alike;

    async fn open() -> Alike {
        super::with(crate::web::mounted)
    }

    auth_testkit::http_suite!(open);
}

/// Behind a server of one's own.
mod served {
    use std::net::{IpAddr, SocketAddr};
    use std::sync::Arc;

    use async_trait::async_trait;
    use auth_http::AuthHttp;
    use auth_rocket::Served;
    use auth_testkit::http::{Alike, Web};
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use tokio::sync::watch;

    async fn open() -> Alike {
        super::with(mounted)
    }

    // The routes are the same; what differs is how a reply gets out, cookies and pages above all.
    auth_testkit::http_suite!(open: sessions);

    fn mounted(http: &AuthHttp) -> Arc<dyn Web> {
        let (tell, told) = watch::channel(None);
        let http = http.clone();
        tokio::spawn(async move { tell.send_replace(Some(Served::launch(&http).await.unwrap())) });
        Arc::new(Launched(told))
    }

    struct Launched(watch::Receiver<Option<Served>>);

    #[async_trait]
    impl Web for Launched {
        async fn send(&self, request: Request<Bytes>, peer: IpAddr) -> Response<Bytes> {
            let served = self.0.clone().wait_for(Option::is_some).await.unwrap().clone().unwrap();
            served.answer(request.map(Full::new), Some(SocketAddr::new(peer, 4711))).await
        }
    }
}

use std::sync::Arc;

use auth_http::AuthHttp;
use auth_testkit::MemoryStore;
use auth_testkit::http::{Alike, Mount, Web};

use crate::adapters::report;

#[test]
fn reports_what_it_ran_against() {
    report::suite_ran_against("memory", env!("CARGO_PKG_VERSION"));
}

fn with(rocket: fn(&AuthHttp) -> Arc<dyn Web>) -> Alike {
    let mount = |web| Mount::new(Arc::new(MemoryStore::new()), web);
    Alike(mount(axum::mounted), mount(rocket))
}
