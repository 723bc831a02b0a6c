//! RL3, DF5, SE5: sessions while the server is gone, frozen, emptied, or another.

use std::time::Duration;

use auth_cache_redis::{PATIENCE, RedisIdempotency, RedisSessions};
use auth_core::adapter::LocalSessions;
use auth_core::port::{Claim, Claimed, Idempotency, SessionCache};
use auth_testkit::given;
use tokio::time::timeout;

use crate::sessions::{find, keep, signed};
use crate::support::{Node, Server, eventually};

/// Longer than any test: what isn't found any more was forgotten, and didn't end by itself.
const FOR_LONG: Duration = Duration::from_secs(3600);

/// RL3: while Redis is away nothing is found, nothing is kept, and nobody waits for long; then it is as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rl3_a_server_that_is_gone() {
    let Some(mut server) = Server::start().await else { return };
    let node = server.node();
    let signed = signed();
    keep(&node.sessions, &signed).await;

    server.stop();
    for _ in 0..3 {
        let ticket = find(&node.sessions, &signed).await.expect_err("nobody to ask");
        node.sessions.keep(ticket, &signed).await;
        assert!(!node.redis.is_reachable());
    }
    server.start_again().await;
    eventually(async || find(&node.sessions, &signed).await.is_err() && node.redis.is_reachable()).await;
    keep(&node.sessions, &signed).await;
}

/// RL3: a server that doesn't answer holds nobody up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rl3_a_server_that_is_frozen() {
    let Some(server) = Server::start().await else { return };
    let node = Node::at(&server.url(), PATIENCE);
    let signed = signed();
    eventually(async || {
        if let Err(ticket) = find(&node.sessions, &signed).await {
            node.sessions.keep(ticket, &signed).await;
        }
        find(&node.sessions, &signed).await.is_ok()
    })
    .await;

    server.freeze();
    let asking = async {
        for _ in 0..200 {
            find(&node.sessions, &signed).await.expect_err("nobody to ask");
            node.sessions.forget(&[signed.user.id]).await;
        }
    };
    // Each that waited for an answer would take two minutes together.
    timeout(Duration::from_secs(30), asking).await.expect("nobody waits");
    server.thaw();
    eventually(async || find(&node.sessions, &signed).await.is_err() && node.redis.is_reachable()).await;
}

/// SE5, DF5: what Redis didn't hear is made up for: until then whoever revoked it finds nothing, and then nobody does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se5_what_redis_did_not_hear_is_made_up_for() {
    let Some(server) = Server::start().await else { return };
    let of = |node: Node| node.sessions.with_lifetime(FOR_LONG);
    let (hasty, other) = (of(Node::at(&server.url(), PATIENCE)), of(server.node()));
    let [one, another] = [signed(), signed()];
    for signed in [&one, &another] {
        keep(&other, signed).await;
    }
    server.freeze();
    hasty.forget(&[one.user.id]).await;
    server.thaw();
    find(&hasty, &one).await.expect_err("revoked here");
    eventually(async || find(&other, &one).await.is_err()).await;

    // The connection is closed, so that nothing of what was said comes late.
    server.freeze();
    hasty.forget_all().await;
    let mut connections = redis::cmd("CLIENT");
    connections.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
    server.thaw();
    connections.query_async::<()>(&mut server.connection().await).await.unwrap();
    find(&hasty, &another).await.expect_err("revoked here");
    eventually(async || find(&other, &another).await.is_err()).await;
}

/// SE5, DF5: a copy's life begins when it is looked for. One that comes late, from a frozen server's socket say, is no copy: the
/// revocation may be long past.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se5_a_copy_that_comes_late_is_none() {
    let Some(server) = Server::start().await else { return };
    let node = server.node().sessions.with_lifetime(Duration::from_secs(1));
    let signed = signed();
    let ticket = find(&node, &signed).await.expect_err("not yet");
    tokio::time::sleep(Duration::from_millis(1001)).await;
    node.keep(ticket, &signed).await;
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*s1:*").query_async(&mut server.connection().await).await.unwrap();
    assert_eq!(keys, Vec::<Vec<u8>>::new());

    let node = node.with_lifetime(FOR_LONG);
    let ticket = find(&node, &signed).await.expect_err("not yet");
    tokio::time::sleep(Duration::from_millis(500)).await;
    node.keep(ticket, &signed).await;
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*s1:*").query_async(&mut server.connection().await).await.unwrap();
    let ends: i64 = redis::cmd("PTTL").arg(&keys[0]).query_async(&mut server.connection().await).await.unwrap();
    assert!((1..=3_599_500).contains(&ends), "{ends}");
}

/// ID1, RL3: a reply that Redis doesn't take while it is away it is told again, before the request could be run anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn id1_a_reply_is_told_again() {
    let Some(server) = Server::start().await else { return };
    let replies = RedisIdempotency::new(Node::at(&server.url(), PATIENCE).redis);
    let first = given::claimed();
    eventually(async || {
        let claim = replies.claim(&Claimed { claim: first.claim, ..first.clone() }, given::NOW).await;
        matches!(claim, Ok(Claim::Fresh))
    })
    .await;
    server.freeze();
    let reply = given::sealed();
    replies.finish(&first.key, first.claim, &reply).await.expect_err("nobody to tell");
    let again = Claimed { claim: given::id(), ..first.clone() };
    replies.claim(&again, given::NOW).await.expect_err("nobody to ask");
    server.thaw();
    eventually(async || {
        let claim = replies.claim(&again, given::NOW).await;
        matches!(claim, Ok(Claim::Finished { reply: kept, .. }) if kept == reply)
    })
    .await;
}

/// DF5, SE5: what was read before Redis was emptied, or replaced by an empty one, isn't kept after it: it may have been revoked
/// in between, and nobody would know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn df5_nothing_outlives_what_was_forgotten() {
    let Some(mut server) = Server::start().await else { return };
    let node = server.node();
    let signed = signed();
    let ticket = find(&node.sessions, &signed).await.expect_err("not yet");
    redis::cmd("FLUSHALL").query_async::<()>(&mut server.connection().await).await.unwrap();
    node.sessions.keep(ticket, &signed).await;
    let ticket = find(&node.sessions, &signed).await.expect_err("refused");

    server.stop();
    server.start_again().await;
    eventually(async || find(&node.sessions, &signed).await.is_err() && node.redis.is_reachable()).await;
    node.sessions.keep(ticket, &signed).await;
    find(&node.sessions, &signed).await.expect_err("refused");
    keep(&node.sessions, &signed).await;
}

/// SE5: a node whose connection is lost hears nothing, and goes by no copy of its own; nor does it where the server is frozen,
/// which closes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se5_copies_of_ones_own_need_a_live_connection() {
    let Some(mut server) = Server::start().await else { return };
    let redis = server.node().redis;
    let near = RedisSessions::new(redis.clone()).with_lifetime(FOR_LONG).with_local_copies(LocalSessions::LONGEST);
    let is_listening = async || near.is_listening();
    let is_deaf = async || !near.is_listening();
    let signed = signed();
    for _ in 0..2 {
        eventually(is_listening).await;
        eventually(async || find(&near, &signed).await.is_err() && redis.is_reachable()).await;
        keep(&near, &signed).await;
        server.stop();
        eventually(is_deaf).await;
        find(&near, &signed).await.expect_err("gone with the connection");
        server.start_again().await;
        eventually(is_listening).await;

        server.freeze();
        eventually(is_deaf).await;
        server.thaw();
    }
}

/// Whether Redis takes what is to be forgotten is told, with the reason.
#[tokio::test]
async fn a_server_that_tells_nobody_is_found_out() {
    let Some(mut server) = Server::start().await else { return };
    let node = server.node();
    node.sessions.check().await.unwrap();
    server.stop();
    node.sessions.check().await.unwrap_err();
}
