//! Limits of the application's own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use auth_core::port::Limit;
use auth_testkit::MemoryStore;
use auth_testkit::http::{Mount, World};

use super::host::Call;
use crate::web;

/// The limit of `/search` and `/suggest` together, and of `/export`.
pub(crate) const THREE: Limit = Limit { uses: 3, window: Duration::from_secs(90) };

#[tokio::test]
async fn rl2_a_client_has_so_many() {
    let world = web::world().await;
    let app = web::rate_limited(world.http());
    for path in ["/search", "/suggest", "/search"] {
        assert_eq!(Call::get(path).send(&app).await.status, 200);
    }
    let refused = Call::get("/suggest").send(&app).await;
    assert_eq!(refused.verdict(), "429 RATE_LIMITED");
    assert_eq!(refused.headers["retry-after"], "90");
    assert_eq!(refused.headers["ratelimit"], "\"default\";r=0;t=90");
    assert_eq!(refused.headers["ratelimit-policy"], "\"default\";q=3;w=90");
    // Other limits, other clients and Portcullis' own operations are counted apart.
    assert_eq!(Call::get("/export").send(&app).await.status, 200);
    assert_eq!(Call::get("/search").from([192, 0, 2, 2]).send(&app).await.status, 200);
    assert_eq!(world.get("/me").await.status, 401);
    world.clock().advance(Duration::from_secs(90));
    assert_eq!(Call::get("/search").send(&app).await.status, 200);
}

// RL1: the address is what our own proxies vouch for, and nothing that a client makes up.
#[tokio::test]
async fn rl1_forwarded_addresses_count_from_proxies_only() {
    let mount = Mount::new(Arc::new(MemoryStore::new()), web::mounted);
    let world = World::with(&mount, |options| options.http.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]).await;
    let app = web::rate_limited(world.http());
    let search = async |peer: [u8; 4], forwarded: &str| {
        Call::get("/search").from(IpAddr::from(peer)).header("x-forwarded-for", forwarded).send(&app).await.status
    };
    for client in 1..=3 {
        assert_eq!(search([192, 0, 2, 1], &format!("198.51.100.{client}")).await, 200);
        assert_eq!(search([10, 0, 0, 1], &format!("198.51.100.{client}")).await, 200);
    }
    assert_eq!(search([192, 0, 2, 1], "198.51.100.4").await, 429);
    assert_eq!(search([10, 0, 0, 1], "198.51.100.4").await, 200);
}
