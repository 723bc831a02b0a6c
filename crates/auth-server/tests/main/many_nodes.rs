//! Nodes on one PostgreSQL that count together on Redis, and one whose Redis is away.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::metrics::scrape;
use crate::support::database::{Backend, Site};
use crate::support::person::Person;
use crate::support::process::Home;
use crate::support::race::{count, race};
use crate::support::{eventually, report, server};

const GUESSES: usize = 50;

/// LT3, RL2: of 50 guesses that race through two nodes, ten are looked at: as many as at one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lt3_nodes_count_guesses_together() {
    let Some(redis) = server("redis", "PORTCULLIS_TEST_REDIS") else { return };
    let Some(site) = Site::on(Backend::Postgres).await else { return };
    report("redis", &version());
    let prefix = format!("test-{}", uuid::Uuid::from_bytes(rand::random()).simple());
    let site = site.with("PUBLIC_URL", "http://127.0.0.1:8080").with("REDIS_URL", &redis).with("REDIS_PREFIX", &prefix);
    let site = site.with("AUTH_METRICS_LISTEN", "127.0.0.1:0");
    // On a machine so busy that a call takes as long as nodes wait for one, they count apart, as they should.
    for _ in 0..5 {
        let nodes = [site.home.start().await, site.home.clone().with("AUTH_WEB", "rocket").start().await];
        let person = Person::registered(&nodes[0].client()).await;
        let wrong = person.with_password("not what it was");

        let replies = race((0..GUESSES).map(|i| wrong.login(&nodes[i % 2].client()))).await;
        let right = [person.login(&nodes[0].client()).send().await, person.login(&nodes[1].client()).send().await];

        if nodes.iter().any(|node| node.log().contains("Redis is away")) {
            continue;
        }
        assert_eq!((count(&replies, 401), count(&replies, 429)), (10, 40), "{replies:?}");
        assert_eq!(count(&right, 429), 2, "{right:?}");
        for node in &nodes {
            assert_eq!(scrape(node).await.value("portcullis_redis_up"), 1.0);
        }
        return;
    }
    panic!("Redis didn't answer in time, five times");
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
    assert!(said.contains("the nodes can't count together"), "{said}");
    assert!(!said.contains("hunter2") && !complained.contains("hunter2"), "{said}{complained}");
}

/// Redis by TLS: a node trusts the authority that it is told to, and no certificate of anybody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_reached_by_tls() {
    if server("redis", "PORTCULLIS_TEST_REDIS").is_none() {
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
    assert!(said.contains("error (redis): the nodes can't count together") && said.contains("UnknownIssuer"), "{said}");
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

/// Of the server on this machine, which is the one of this run.
fn version() -> String {
    let said = Command::new("redis-server").arg("--version").output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    said.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap().to_owned()
}
