//! Nodes that share one server.

use std::sync::Arc;
use std::time::Duration;

use auth_cache_redis::{RedisIdempotency, RedisSessions, RedisThrottle};
use auth_core::adapter::LocalSessions;
use auth_core::port::{Claim, Idempotency, Limit, SessionCache, Throttle};
use auth_testkit::given::{self, NOW};
use auth_testkit::race::race;

use crate::sessions::{keep, signed};
use crate::support::{Backend, HOURLY, Node, eventually, key, patient, shared};

async fn value<T: redis::FromRedisValue>(url: &str, command: &[&str]) -> T {
    let mut connection = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut call = redis::cmd(command[0]);
    call.arg(&command[1..]).query_async(&mut connection).await.unwrap()
}

#[tokio::test]
async fn reports_what_it_ran_against() {
    for backend in Backend::ALL {
        let Some(urls) = backend.url() else { continue };
        let info: String = value(urls.split(',').next().unwrap(), &["INFO", "server"]).await;
        backend.report(info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap());
    }
}

/// RL2: of 200 uses that race through four nodes, exactly as many are allowed as the limit says.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rl2_nodes_share_a_limit() {
    let Some(url) = shared() else { return };
    let nodes: Arc<[Node]> = (0..4).map(|_| Node::patient(&url)).collect();
    let key = key();
    let taken = race(200, |i| {
        let nodes = nodes.clone();
        async move { nodes[i % 4].throttle.take(key, HOURLY(20), NOW).await }
    })
    .await;

    assert!(nodes.iter().all(|node| node.redis.is_reachable()));
    let mut left: Vec<u32> = taken.0.iter().filter(|taken| taken.allowed).map(|taken| taken.remaining).collect();
    left.sort_unstable();
    assert_eq!(left, (0..20).collect::<Vec<_>>());
}

/// What one node gives back or clears, the others may use.
#[tokio::test]
async fn given_back_for_all() {
    let Some(url) = shared() else { return };
    let [one, other] = [Node::patient(&url), Node::patient(&url)];
    let key = key();
    assert!(one.throttle.take(key, HOURLY(1), NOW).await.allowed);
    assert!(!other.throttle.take(key, HOURLY(1), NOW).await.allowed);
    one.throttle.give_back(key, NOW).await;
    assert!(other.throttle.take(key, HOURLY(1), NOW).await.allowed);
    assert!(!one.throttle.take(key, HOURLY(1), NOW).await.allowed);
    other.throttle.clear(key).await;
    assert!(one.throttle.take(key, HOURLY(1), NOW).await.allowed);
}

/// A window is no longer than numbers are exact for.
#[tokio::test]
async fn no_window_is_for_ever() {
    let Some(url) = shared() else { return };
    let node = Node::patient(&url);
    let (key, limit) = (key(), Limit { uses: 1, window: Duration::MAX });
    let longest = Duration::from_micros(1 << 52);
    for allowed in [true, false] {
        let taken = node.throttle.take(key, limit, NOW).await;
        assert_eq!((taken.allowed, taken.reset), (allowed, longest));
    }
    assert!(node.redis.is_reachable());
}

/// RL2: whatever was done to it, a key ends with its window.
#[tokio::test]
async fn rl2_keys_expire() {
    let Some(url) = shared() else { return };
    let node = Node::patient(&url);
    let limit = Limit { uses: 2, window: Duration::from_secs(100) };
    let key = key();
    let ends = async || {
        let mut connection = redis::Client::open(&*url).unwrap().get_multiplexed_async_connection().await.unwrap();
        let name = [b"test:throttle:", &key.as_bytes()[..]].concat();
        redis::cmd("PTTL").arg(name).query_async::<i64>(&mut connection).await.unwrap()
    };
    for _ in 0..3 {
        node.throttle.take(key, limit, NOW).await;
        assert!((1..=100_000).contains(&ends().await));
    }
    node.throttle.give_back(key, NOW).await;
    assert!((1..=100_000).contains(&ends().await));
    node.throttle.give_back(key, NOW).await;
    assert_eq!(ends().await, -2, "no use, no key");
}

/// The rights that the documentation names are enough for all of it, on a server and on a Cluster, and reach no other keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_that_are_documented_suffice() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/operate/many-nodes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut rights = page.split('`').filter(|text| text.starts_with('+'));
    let single: Vec<&str> = rights.next().expect("those for a server").split_whitespace().collect();
    let more = rights.find(|text| text.starts_with("+cluster")).expect("those for a Cluster");
    for (backend, rights) in [
        (Backend::Single, single.clone()),
        (Backend::Cluster, single.into_iter().chain(more.split_whitespace()).collect()),
    ] {
        let Some(urls) = backend.url() else { continue };
        let name = format!("user-{}", uuid::Uuid::from_bytes(given::bytes()).simple());
        let mut theirs = Vec::new();
        for url in urls.split(',') {
            let mut user = redis::cmd("ACL");
            user.arg(&["SETUSER", &name, "on", ">secret", "~auth:*", "&auth:*"]).arg(&rights);
            let admin = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await;
            user.query_async::<()>(&mut admin.unwrap()).await.unwrap();
            let address = url.rsplit(['@', '/']).next().unwrap();
            theirs.push(format!("redis://{name}:secret@{address}"));
        }
        suffices(&theirs.join(",")).await;
    }
}

async fn suffices(url: &str) {
    let redis = patient(url, "auth:");
    let throttle = RedisThrottle::new(redis.clone());
    throttle.check().await.unwrap();
    assert!(throttle.take(key(), HOURLY(1), NOW).await.allowed);
    throttle.give_back(key(), NOW).await;
    throttle.clear(key()).await;

    let sessions = RedisSessions::new(redis.clone());
    sessions.check().await.unwrap();
    let near = sessions.with_local_copies(LocalSessions::LONGEST);
    eventually(async || near.is_listening()).await;
    keep(&near, &signed()).await;
    near.forget(&[signed().user.id]).await;

    let replies = RedisIdempotency::new(redis.clone());
    let [kept, freed] = [given::claimed(), given::claimed()];
    for request in [&kept, &freed] {
        assert!(matches!(replies.claim(request, NOW).await, Ok(Claim::Fresh)));
    }
    replies.finish(&kept.key, kept.claim, &given::sealed()).await.unwrap();
    replies.release(&freed.key, freed.claim).await.unwrap();
    assert!(redis.is_reachable());

    RedisThrottle::new(patient(url, "other:")).check().await.unwrap_err();
}

/// Whoever names a Cluster by one address is told how to name it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_of_a_cluster_is_found_out() {
    let Some(urls) = Backend::Cluster.url() else { return };
    let one = urls.split(',').next().unwrap();
    let failure = RedisThrottle::new(patient(one, "auth:")).check().await.unwrap_err();
    let reason = std::error::Error::source(&failure).unwrap().to_string();
    assert!(reason.contains("one of a Cluster's"), "{reason}");
    RedisThrottle::new(patient(&format!("{one},{one}"), "auth:")).check().await.unwrap();
}
