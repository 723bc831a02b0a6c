//! Nodes on one PostgreSQL and one Redis, and one whose Redis is away.

mod load;

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use hyper::header::HeaderName;

use crate::metrics::scrape;
use crate::support::checks::{self, se5_what_ends_is_dead_on_every_node};
use crate::support::database::{Backend, Site};
use crate::support::eventually;
use crate::support::nodes::Nodes;
use crate::support::person::Person;
use crate::support::process::Home;
use crate::support::race::{count, race};
use crate::support::redis::{Kind, Redis};

const GUESSES: usize = 50;

/// A test of each check between so many nodes on that Redis.
macro_rules! between_nodes {
    ($($name:ident: $count:literal on $kind:ident;)*) => {$(
        mod $name {
            use super::*;

            between_nodes!(@tests $count, $kind:
                vt3_a_reset_link_is_spent_once, rr3_a_refresh_token_has_one_successor, id1_a_key_has_one_effect,
                se5_what_ends_is_dead_within_a_second);

            /// LT3, RL2: of 50 guesses that race through the nodes, ten are looked at, as many as at one; and so it is with what
            /// one address may do.
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn lt3_nodes_count_guesses_together() {
                guesses_are_counted_together(Kind::$kind, $count).await;
            }
        }
    )*};
    (@tests $count:literal, $kind:ident: $($check:ident),*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            if let Some(nodes) = Nodes::sharing(Kind::$kind, $count).await {
                checks::$check(nodes).await;
            }
        }
    )*};
}

between_nodes! {
    two: 2 on Single;
    four: 4 on Single;
    four_on_a_cluster: 4 on Cluster;
}

async fn guesses_are_counted_together(kind: Kind, nodes: usize) {
    let Some(redis) = kind.url() else { return };
    // On a machine so busy that a call takes as long as nodes wait for one, they count apart, as they should.
    for _ in 0..5 {
        let Some(site) = Site::on(Backend::Postgres).await else { return };
        let nodes = Nodes::of(site.sharing(&redis).with("AUTH_METRICS_LISTEN", "127.0.0.1:0"), nodes).await;
        let person = Person::registered(&nodes.client(0)).await;
        let wrong = person.with_password("not what it was");

        let replies = race((0..GUESSES).map(|i| wrong.login(&nodes.client(i)))).await;
        let right = [person.login(&nodes.client(0)).send().await, person.login(&nodes.client(1)).send().await];
        // One of twenty an hour for this address was used above.
        let registered = race((0..GUESSES).map(|i| Person::new().register(&nodes.client(i)))).await;

        if nodes.servers.iter().any(|node| node.log().contains("Redis is away")) {
            continue;
        }
        assert_eq!((count(&replies, 401), count(&replies, 429)), (10, 40), "{replies:?}");
        assert_eq!(count(&right, 429), 2, "{right:?}");
        assert_eq!((count(&registered, 201), count(&registered, 429)), (19, 31), "{registered:?}");
        for node in &nodes.servers {
            assert_eq!(scrape(node).await.value("portcullis_redis_up"), 1.0);
        }
        return;
    }
    panic!("Redis didn't answer in time, five times");
}

/// SE5: without copies in the processes, what one node ends is dead on the other with the next request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se5_without_local_copies_it_counts_at_once() {
    for kind in [Kind::Single, Kind::Cluster] {
        let Some(redis) = kind.url() else { continue };
        let Some(site) = Site::unthrottled(Backend::Postgres).await else { return };
        let nodes = Nodes::of(site.sharing(&redis).with("AUTH_LOCAL_CACHE", "0"), 2).await;
        se5_what_ends_is_dead_on_every_node(nodes).await;
    }
}

/// An authenticated request asks the database nothing where a copy is found: on Redis by one round trip, in the process by none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_costs_no_statement() {
    for (local_cache, round_trips) in [("0", 1), ("1", 0)] {
        let Some(redis) = Redis::of(Kind::Single).await else { return };
        let Some(site) = Site::unthrottled(Backend::Postgres).await else { return };
        let site = site.sharing(&redis.url()).with("AUTH_LOCAL_CACHE", local_cache);
        let site = site.with("AUTH_LOG", "sqlx::query=debug").with("AUTH_METRICS_LISTEN", "127.0.0.1:0");
        let node = site.home.start().await;
        eventually("a node that listens", async || {
            let metrics = scrape(&node).await;
            (local_cache == "0" || metrics.value("portcullis_redis_listening") == 1.0).then_some(())
        })
        .await;
        let client = node.client();
        let tokens = Person::registered(&client).await.sign_in(&client).await;
        // On a machine so busy that a copy ends between two requests, it is read anew.
        let mut costs = Vec::new();
        for _ in 0..50 {
            tokens.me(&client).expect(200).await;
            redis.ask(&["CONFIG", "RESETSTAT"]);
            let before = node.log().len();
            tokens.me(&client).expect(200).await;
            let statements = node.log()[before..].matches("auth_sessions").count();
            let stats = redis.ask(&["INFO", "commandstats"]);
            let calls: usize = stats
                .lines()
                .filter_map(|line| line.strip_prefix("cmdstat_mget:calls="))
                .map(|rest| rest.split(',').next().unwrap().parse::<usize>().unwrap())
                .sum();
            costs.push((statements, calls));
        }
        let as_said = costs.iter().filter(|cost| **cost == (0, round_trips)).count();
        assert!(as_said > costs.len() / 2, "{costs:?}");
        let metrics = scrape(&node).await;
        assert!(metrics.value(r#"portcullis_sessions_looked_up_total{found="cache"}"#) >= 50.0);
        assert!(metrics.value(r#"portcullis_sessions_looked_up_total{found="store"}"#) >= 1.0);
    }
}

/// RL3: a server of a Cluster that is silent, which nobody needs, is made up for by the others, also for a node that starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rl3_the_others_of_a_cluster_go_on() {
    let Some(redis) = Redis::of(Kind::Cluster).await else { return };
    redis.freeze_a_replica();
    let site = Site::unthrottled(Backend::Sqlite).await.unwrap().sharing(&redis.url());
    let node = site.with("AUTH_METRICS_LISTEN", "127.0.0.1:0").home.start().await;
    let keyed = HeaderName::from_static("idempotency-key");
    eventually("Redis", async || {
        let person = Person::new();
        let reply = person.register(&node.client()).header(keyed.clone(), &person.email).send().await;
        assert!([201, 503].contains(&reply.status), "{reply:?}");
        (reply.status == 201).then_some(())
    })
    .await;
    assert_eq!(scrape(&node).await.value("portcullis_redis_up"), 1.0);
}

/// ID1, RL3: a request that names itself isn't run while nobody can tell whether it was before; others are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn id1_without_redis_nothing_happens_twice() {
    let site = Site::unthrottled(Backend::Sqlite).await.unwrap().with("REDIS_URL", "redis://127.0.0.1:1");
    let node = site.home.start().await;
    let person = Person::new();
    let keyed = person.register(&node.client()).header(HeaderName::from_static("idempotency-key"), "once");
    let reply = keyed.problem(503, "UNAVAILABLE").await;
    assert!(reply.headers.contains_key("retry-after"));
    person.register(&node.client()).expect(201).await;
    person.sign_in(&node.client()).await.me(&node.client()).expect(200).await;
}

/// RL3: without its Redis a node starts, and counts for itself; it says so once, and nothing of the password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rl3_a_node_counts_for_itself_while_redis_is_away() {
    let site = Site::on(Backend::Sqlite).await.unwrap().with("AUTH_METRICS_LISTEN", "127.0.0.1:0");
    let site = site.with("REDIS_URL", "redis://:hunter2-at-redis@127.0.0.1:1");
    let node = site.home.start().await;
    let person = Person::registered(&node.client()).await;
    let wrong = person.with_password("not what it was");

    let replies = race((0..GUESSES).map(|_| wrong.login(&node.client()))).await;

    assert_eq!((count(&replies, 401), count(&replies, 429)), (10, 40), "{replies:?}");
    assert_eq!(scrape(&node).await.value("portcullis_redis_up"), 0.0);
    let log = node.log();
    assert_eq!(log.matches("Redis is away").count(), 1, "{log}");
    assert!(!log.contains("hunter2"), "{log}");
    let doctor = site.home.run(&["doctor"]);
    let [said, complained] = [doctor.stdout, doctor.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(said.contains("Redis can't be used"), "{said}");
    assert!(!said.contains("hunter2") && !complained.contains("hunter2"), "{said}{complained}");
}

/// Redis by TLS: a node trusts the authority that it is told to, and no certificate of anybody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_reached_by_tls() {
    if Kind::Single.url().is_none() {
        return;
    }
    let site = Site::on(Backend::Sqlite).await.unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [certificate, key] = ["redis.crt", "redis.key"].map(|name| site.home.path(name));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut redis = Command::new("redis-server");
    redis.args(["--port", "0", "--tls-port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    redis.args(["--tls-auth-clients", "no", "--tls-cert-file"]).arg(&certificate).arg("--tls-key-file").arg(&key);
    let redis = Running(redis.current_dir(site.home.path("")).stdout(Stdio::null()).spawn().unwrap());
    let site = site.with("REDIS_URL", &format!("rediss://localhost:{port}")).with("PUBLIC_URL", "https://auth.example");

    let trusting = site.home.clone().with("SSL_CERT_FILE", &certificate.display().to_string());
    let said = async |home: &Home| String::from_utf8(home.run(&["doctor"]).stdout).unwrap();
    eventually("Redis", async || (!said(&trusting).await.contains("(redis)")).then_some(())).await;
    let said = said(&site.home).await;
    assert!(said.contains("error (redis): Redis can't be used") && said.contains("UnknownIssuer"), "{said}");
    drop(redis);
}

/// A process that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
