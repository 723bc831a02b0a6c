//! RL3, DF5: a server that is gone, frozen, silent, empty, or doesn't let us in.

use std::time::{Duration, Instant};

use auth_cache_redis::PATIENCE;
use auth_core::port::{SessionCache, Throttle};
use auth_testkit::given::{self, NOW};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::support::{HOURLY, Node, Server, eventually, key};

/// RL3: without Redis a node goes by what it counted itself: what it used up stays so, and no use is free.
#[tokio::test]
async fn rl3_a_server_that_is_gone() {
    let Some(mut server) = Server::start().await else { return };
    let [node, other] = [server.node(), server.node()];
    let (used_up, begun) = (key(), key());
    for _ in 0..2 {
        assert!(node.throttle.take(used_up, HOURLY(2), NOW).await.allowed);
    }
    assert!(node.throttle.take(begun, HOURLY(2), NOW).await.allowed);
    assert!(!other.throttle.take(used_up, HOURLY(2), NOW).await.allowed, "shared");

    server.stop();
    assert!(!node.throttle.take(used_up, HOURLY(2), NOW).await.allowed);
    assert!(node.throttle.take(begun, HOURLY(2), NOW).await.allowed);
    assert!(!node.throttle.take(begun, HOURLY(2), NOW).await.allowed);
    assert!(!node.redis.is_reachable());
    // The other has counted none of it: it allows what one node may, and no more.
    let mut allowed = 0;
    for _ in 0..5 {
        allowed += u32::from(other.throttle.take(used_up, HOURLY(2), NOW).await.allowed);
    }
    assert_eq!(allowed, 2);

    server.start_again().await;
    for node in [&node, &other] {
        is_back(node).await;
    }
    let key = key();
    assert!(node.throttle.take(key, HOURLY(1), NOW).await.allowed);
    assert!(!other.throttle.take(key, HOURLY(1), NOW).await.allowed, "shared again");
}

/// RL3: a server that doesn't answer holds nobody up, and is back by itself.
#[tokio::test]
async fn rl3_a_server_that_is_frozen() {
    let Some(server) = Server::start().await else { return };
    let node = Node::at(&server.url(), PATIENCE);
    eventually(async || node.throttle.take(key(), HOURLY(1), NOW).await.allowed && node.redis.is_reachable()).await;

    server.freeze();
    let counted = key();
    let takes = async {
        let mut allowed = 0;
        for _ in 0..200 {
            allowed += u32::from(node.throttle.take(counted, HOURLY(3), NOW).await.allowed);
        }
        allowed
    };
    // Each that waited for an answer would take a minute together.
    assert_eq!(timeout(Duration::from_secs(20), takes).await.expect("nobody waits"), 3);
    assert!(!node.redis.is_reachable());

    server.thaw();
    is_back(&node).await;
}

/// RL3: nor does one whose host is gone without a word; what comes in its place is found.
#[tokio::test]
async fn rl3_a_server_that_is_silent() {
    let Some(server) = Server::start().await else { return };
    let (silent, is_silent) = watch::channel(false);
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", proxy.local_addr().unwrap());
    let upstream = server.url().replace("redis://", "");
    tokio::spawn(async move {
        loop {
            let (mut client, _) = proxy.accept().await.unwrap();
            let (upstream, mut is_silent) = (upstream.clone(), is_silent.clone());
            tokio::spawn(async move {
                if !*is_silent.borrow() {
                    let mut server = TcpStream::connect(upstream).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                        _ = is_silent.wait_for(|silent| *silent) => {}
                    }
                }
                // Open, and nothing comes: also once those after it are answered.
                std::future::pending::<()>().await;
            });
        }
    });
    let node = Node::at(&url, PATIENCE);
    eventually(async || node.throttle.take(key(), HOURLY(1), NOW).await.allowed && node.redis.is_reachable()).await;

    silent.send_replace(true);
    eventually(async || {
        node.throttle.take(key(), HOURLY(1), NOW).await;
        !node.redis.is_reachable()
    })
    .await;
    silent.send_replace(false);
    is_back(&node).await;
}

/// RL3: a server that doesn't let us in is tried again: its password may be put right.
#[tokio::test]
async fn rl3_a_server_that_does_not_let_us_in() {
    let Some(server) = Server::start().await else { return };
    let admin = server.connection().await;
    let set = async |password: &str| {
        let mut set = redis::cmd("CONFIG");
        set.arg(&["SET", "requirepass", password]).query_async::<()>(&mut admin.clone()).await.unwrap();
    };
    set("another").await;
    let node = Node::patient(&server.url().replace("redis://", "redis://:expected@"));
    let key = key();
    assert!(node.throttle.take(key, HOURLY(1), NOW).await.allowed);
    assert!(!node.throttle.take(key, HOURLY(1), NOW).await.allowed);
    assert!(!node.redis.is_reachable());
    assert!(node.throttle.check().await.is_err());

    set("expected").await;
    node.throttle.check().await.unwrap();
    is_back(&node).await;
}

/// RL3: nor is a server of use that has become another's replica, or whose memory is full; and that it still deletes doesn't
/// make it one.
#[tokio::test]
async fn rl3_a_server_that_takes_no_writes() {
    let Some(server) = Server::start().await else { return };
    let admin = server.connection().await;
    let tell = async |words: &[&str]| {
        let mut tell = redis::cmd(words[0]);
        tell.arg(&words[1..]).query_async::<()>(&mut admin.clone()).await.unwrap();
    };
    let node = server.node();
    for (ill, well) in [
        (["REPLICAOF", "127.0.0.1", "1"].as_slice(), ["REPLICAOF", "NO", "ONE"].as_slice()),
        (&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]),
    ] {
        tell(ill).await;
        let key = key();
        assert!(node.throttle.take(key, HOURLY(1), NOW).await.allowed);
        node.throttle.clear(key).await;
        assert!(!node.redis.is_reachable(), "{ill:?}");
        assert!(node.throttle.check().await.is_err(), "{ill:?}");
        // Nobody connects anew for that, with each call.
        let before = server.connections().await;
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until {
            node.throttle.take(key, HOURLY(1), NOW).await;
            node.sessions.forget(&[given::id()]).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let more = server.connections().await - before;
        assert!(more < 20, "{more} connections");
        tell(well).await;
        is_back(&node).await;
    }
}

/// A node starts while the server is away.
#[tokio::test]
async fn rl3_a_server_that_comes_later() {
    let Some(mut server) = Server::start().await else { return };
    server.stop();
    let node = server.node();
    let key = key();
    assert!(node.throttle.take(key, HOURLY(1), NOW).await.allowed);
    assert!(!node.throttle.take(key, HOURLY(1), NOW).await.allowed);
    server.start_again().await;
    is_back(&node).await;
}

/// RL3: what was counted while the server was away is given back here only: there it would be somebody else's.
#[tokio::test]
async fn rl3_nothing_is_given_back_that_was_not_counted() {
    let Some(mut server) = Server::start().await else { return };
    server.stop();
    let node = server.node();
    let key = key();
    assert!(node.throttle.take(key, HOURLY(2), NOW).await.allowed);
    server.start_again().await;
    is_back(&node).await;
    let other = server.node();
    for _ in 0..2 {
        assert!(other.throttle.take(key, HOURLY(2), NOW).await.allowed);
    }
    node.throttle.give_back(key, NOW).await;
    assert!(!other.throttle.take(key, HOURLY(2), NOW).await.allowed);
}

/// What another node has cleared begins anew here too: who reset his password there isn't kept out here once Redis is away.
#[tokio::test]
async fn cleared_elsewhere_begins_anew_here() {
    let Some(mut server) = Server::start().await else { return };
    let [node, other] = [server.node(), server.node()];
    let key = key();
    for _ in 0..2 {
        assert!(node.throttle.take(key, HOURLY(2), NOW).await.allowed);
    }
    other.throttle.clear(key).await;
    assert!(node.throttle.take(key, HOURLY(2), NOW).await.allowed);
    server.stop();
    assert!(node.throttle.take(key, HOURLY(2), NOW).await.allowed);
    assert!(!node.throttle.take(key, HOURLY(2), NOW).await.allowed);
}

/// DF5: emptied, Redis has forgotten what was counted: windows begin anew, and are as exact as before.
#[tokio::test]
async fn df5_a_server_that_is_emptied() {
    let Some(server) = Server::start().await else { return };
    let [node, other] = [server.node(), server.node()];
    let key = key();
    assert!(node.throttle.take(key, HOURLY(2), NOW).await.allowed);
    redis::cmd("FLUSHALL").query_async::<()>(&mut server.connection().await).await.unwrap();
    let mut allowed = 0;
    for node in [&node, &other].into_iter().cycle().take(6) {
        allowed += u32::from(node.throttle.take(key, HOURLY(2), NOW).await.allowed);
    }
    assert_eq!(allowed, 2);
}

async fn is_back(node: &Node) {
    eventually(async || {
        node.throttle.take(key(), HOURLY(1), NOW).await;
        node.redis.is_reachable()
    })
    .await;
}
