//! Copies of sessions that nodes share, and what each keeps for itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_cache_redis::RedisSessions;
use auth_core::adapter::LocalSessions;
use auth_core::domain::{SessionKey, Signed};
use auth_core::port::{Cached, SessionCache, Ticket};
use auth_testkit::given;

use crate::support::{Backend, Server, eventually, patient};

pub(crate) fn signed() -> Arc<Signed> {
    let user = given::user();
    Arc::new(Signed { session: given::session(&user), user })
}

pub(crate) async fn find(node: &RedisSessions, signed: &Signed) -> Result<Arc<Signed>, Ticket> {
    match node.find(&SessionKey::Id(signed.session.id), signed.user.id).await {
        Cached::Hit(found) => Ok(found),
        Cached::Miss(ticket) => Err(ticket),
    }
}

pub(crate) async fn keep(node: &RedisSessions, signed: &Arc<Signed>) {
    node.keep(find(node, signed).await.expect_err("not yet"), signed).await;
    find(node, signed).await.expect("kept");
}

/// SE5: what one node forgets, no other finds from then on: a user, or everybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se5_one_node_forgets_for_all() {
    for backend in Backend::ALL {
        let Some(redis) = backend.open() else { continue };
        let [one, other] = [redis.clone(), redis].map(RedisSessions::new);
        let (signed, another) = (signed(), signed());
        for kept in [&signed, &another] {
            keep(&one, kept).await;
            find(&other, kept).await.expect("shared");
        }
        other.forget(&[signed.user.id]).await;
        let ticket = find(&one, &signed).await.expect_err("forgotten");
        find(&one, &another).await.expect("nobody spoke of them");
        other.forget_all().await;
        // What was read before is kept by neither.
        one.keep(ticket, &signed).await;
        for forgotten in [&signed, &another] {
            find(&one, forgotten).await.expect_err("forgotten");
            find(&other, forgotten).await.expect_err("forgotten");
        }
    }
}

/// SE5: what a node has a copy of itself it drops when it hears that another has forgotten it: long before it would end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se5_nodes_hear_what_is_forgotten() {
    for backend in Backend::ALL {
        let Some(redis) = backend.open() else { continue };
        let [one, other] = [redis.clone(), redis].map(RedisSessions::new);
        let near = other.with_local_copies(LocalSessions::LONGEST);
        eventually(async || near.is_listening()).await;
        let mut heard = 0;
        // A machine may be so busy that a copy ends before it is looked at again.
        for round in 0..50 {
            let signed = signed();
            let ticket = find(&near, &signed).await.expect_err("not yet");
            let kept_at = Instant::now();
            near.keep(ticket, &signed).await;
            if round % 2 == 0 {
                one.forget(&[signed.user.id]).await;
            } else {
                one.forget_all().await;
            }
            while find(&near, &signed).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            heard += u32::from(kept_at.elapsed() < LocalSessions::LONGEST / 2);
        }
        assert!(heard > 25, "{heard} of 50");
    }
}

/// A copy is one round trip, and none where this process has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_one_round_trip_or_none() {
    let Some(server) = Server::start().await else { return };
    let node = server.node().sessions;
    let signed = signed();
    keep(&node, &signed).await;
    server.calls().await;
    for _ in 0..10 {
        find(&node, &signed).await.expect("kept");
    }
    assert_eq!(server.calls().await, [("mget".to_owned(), 10)]);

    let near = node.with_local_copies(LocalSessions::LONGEST);
    eventually(async || near.is_listening()).await;
    // On a machine so busy that the copy ends meanwhile, it is fetched anew.
    for _ in 0..20 {
        find(&near, &signed).await.expect("kept");
        server.calls().await;
        for _ in 0..10 {
            find(&near, &signed).await.expect("kept");
        }
        let calls = server.calls().await;
        if calls.iter().all(|(name, _)| name == "ping") {
            return;
        }
    }
    panic!("found on Redis, though it is here");
}

/// SE5: a copy ends, whether or not anybody forgets it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se5_copies_end() {
    for backend in Backend::ALL {
        let Some(redis) = backend.open() else { continue };
        let (node, signed) = (RedisSessions::new(redis).with_lifetime(Duration::from_millis(300)), signed());
        let ticket = find(&node, &signed).await.expect_err("not yet");
        node.keep(ticket, &signed).await;
        eventually(async || find(&node, &signed).await.is_err()).await;
    }
}

/// Every key expires, and no copy lives longer than the documentation says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rl2_all_keys_expire() {
    let Some(server) = Server::start().await else { return };
    let node = server.node();
    keep(&node.sessions, &signed()).await;
    let user = given::user();
    let browser = Arc::new(Signed { session: given::cookie_session(&user), user });
    let key = SessionKey::Secret(*browser.session.credential.secret().unwrap());
    let Cached::Miss(ticket) = node.sessions.find(&key, browser.user.id).await else { panic!("not yet") };
    node.sessions.keep(ticket, &browser).await;
    find(&node.sessions, &signed()).await.expect_err("not yet");

    let mut connection = server.connection().await;
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert!(keys.len() >= 7, "{keys:?}");
    for key in keys {
        let ends: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
        let is_copy = String::from_utf8_lossy(&key).contains("}s1:");
        let most = if is_copy { RedisSessions::LIFETIME } else { Duration::from_secs(24 * 3600) };
        assert!((1..=i64::try_from(most.as_millis()).unwrap()).contains(&ends), "{key:?}: {ends}");
    }
}

/// VT4: nothing in Redis opens anything: a session is there by the digests that the database has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vt4_a_copy_has_no_secret() {
    let Some(server) = Server::start().await else { return };
    let node = patient(&server.url(), "test:");
    let secret = auth_core::domain::Secret::new(&auth_core::adapter::SystemEntropy);
    let user = given::user();
    let credential = auth_core::domain::Credential::Cookie(secret.digest());
    let signed = Arc::new(Signed { session: auth_core::domain::Session { credential, ..given::session(&user) }, user });
    let sessions = RedisSessions::new(node);
    let key = SessionKey::Secret(secret.digest());
    let Cached::Miss(ticket) = sessions.find(&key, signed.user.id).await else { panic!("not yet") };
    sessions.keep(ticket, &signed).await;

    let mut connection = server.connection().await;
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    let values: Vec<Vec<u8>> = redis::cmd("MGET").arg(&keys).query_async(&mut connection).await.unwrap();
    let dump = [keys.concat(), values.concat()].concat();
    let holds = |part: &[u8]| dump.windows(part.len()).any(|window| window == part);
    assert!(holds(signed.user.email.as_str().as_bytes()) && holds(secret.digest().as_bytes()));
    assert!(!holds(secret.expose().as_bytes()));
}
