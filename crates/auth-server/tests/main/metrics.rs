//! Metrics, as Prometheus reads them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use hyper::Method;

use crate::support::client::Client;
use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::eventually;
use crate::support::person::Person;
use crate::support::process::{Home, Server};
use crate::support::race::race;

on_each_backend!(by each library: what_happens_is_counted);

/// Requests by what they asked for and what came of it, hashes, connections.
async fn what_happens_is_counted(backend: Backend) {
    if let Some(site) = Site::on(backend).await {
        is_counted(site).await;
    }
}

/// The same through Rocket, whose replies can't say themselves what they answer.
#[tokio::test]
async fn what_happens_through_rocket_is_counted() {
    is_counted(Site::on(Backend::Sqlite).await.unwrap().with("AUTH_WEB", "rocket")).await;
}

async fn is_counted(site: Site) {
    let site = site.with("AUTH_METRICS_LISTEN", "127.0.0.1:0");
    let server = site.home.start().await;
    let client = server.client();
    let person = Person::registered(&client).await;
    person.sign_in(&client).await.me(&client).expect(200).await;
    for _ in 0..2 {
        person.with_password("not what it was").login(&client).problem(401, "UNAUTHORIZED").await;
    }
    client.root("/healthz").expect(200).await;
    client.root("/nowhere").problem(404, "NOT_FOUND").await;
    client.get("/sessions/7/8").problem(404, "NOT_FOUND").await;

    let metrics = scrape(&server).await;
    let requests = |operation: &str, profile: &str, status: &str| {
        let labels = format!(r#"operation="{operation}",profile="{profile}",status="{status}""#);
        metrics.value(&format!("portcullis_requests_total{{{labels}}}"))
    };
    assert_eq!(requests("Register", "tokens", "2xx"), 1.0);
    assert_eq!(requests("SignIn", "tokens", "2xx"), 1.0);
    assert_eq!(requests("SignIn", "tokens", "4xx"), 2.0);
    assert_eq!(requests("ShowProfile", "tokens", "2xx"), 1.0);
    assert_eq!(requests("Health", "none", "2xx"), 1.0);
    assert_eq!(requests("none", "none", "4xx"), 2.0);
    let of_sign_in = r#"{operation="SignIn",profile="tokens"}"#;
    assert_eq!(metrics.value(&format!("portcullis_request_duration_seconds_count{of_sign_in}")), 3.0);
    let seconds = metrics.value(&format!("portcullis_request_duration_seconds_sum{of_sign_in}"));
    assert!(seconds > 0.001 && seconds < 60.0, "{seconds}");

    assert_eq!(metrics.value("portcullis_hashing_duration_seconds_count"), 4.0);
    assert_eq!(metrics.value("portcullis_hashing_refused_total"), 0.0);
    assert_eq!((metrics.value("portcullis_hashing_busy"), metrics.value("portcullis_hashing_waiting")), (0.0, 0.0));
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(metrics.value("portcullis_hashing_threads"), f64::from(u32::try_from(cores).unwrap()));

    assert_eq!(metrics.value("portcullis_store_up"), 1.0);
    for pool in ["read", "write"] {
        let used = metrics.value(&format!(r#"portcullis_store_connections{{pool="{pool}",state="used"}}"#));
        let idle = metrics.value(&format!(r#"portcullis_store_connections{{pool="{pool}",state="idle"}}"#));
        let limit = metrics.value(&format!(r#"portcullis_store_connections_limit{{pool="{pool}"}}"#));
        assert!(used + idle >= 1.0 && used + idle <= limit, "{pool}: {used} used, {idle} idle, limit {limit}");
    }
    let outbox =
        ["queued", "oldest_age_seconds", "dead"].map(|name| metrics.value(&format!("portcullis_outbox_{name}")));
    assert!(outbox[0] <= 1.0 && outbox[1] < 60.0 && outbox[2] == 0.0, "{outbox:?}");
    // Told in a task of its own.
    let of_kind =
        |metrics: &Metrics, kind: &str| metrics.value(&format!(r#"portcullis_audit_events_total{{kind="{kind}"}}"#));
    let metrics = eventually("the events", async || {
        let metrics = scrape(&server).await;
        (of_kind(&metrics, "session.refused") == 2.0).then_some(metrics)
    })
    .await;
    for (kind, count) in [("user.registered", 1.0), ("session.opened", 1.0), ("session.reuse-detected", 0.0)] {
        assert_eq!(of_kind(&metrics, kind), count, "{kind}");
    }
    for (outcome, count) in [("succeeded", 1.0), ("failed", 2.0)] {
        assert_eq!(metrics.value(&format!(r#"portcullis_sign_ins_total{{outcome="{outcome}"}}"#)), count, "{outcome}");
    }
    let build = metrics.samples.keys().find(|name| name.starts_with("portcullis_build_info{")).unwrap();
    assert!(build.contains(&format!(r#"version="{}""#, env!("CARGO_PKG_VERSION"))), "{build}");
    server.stop().await;
}

/// PW6: a full queue shows, while it is full and afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pw6_a_flood_is_seen() {
    let site = Site::unthrottled(Backend::Sqlite).await.unwrap().with("AUTH_METRICS_LISTEN", "127.0.0.1:0");
    let server = site.home.start().await;
    let flood = tokio::spawn(race(vec![Person::new().login(&server.client()); 300]));
    eventually("a queue", async || {
        let metrics = scrape(&server).await;
        let is_full =
            metrics.value("portcullis_hashing_waiting") > 10.0 && metrics.value("portcullis_hashing_busy") >= 1.0;
        is_full.then_some(())
    })
    .await;
    let refused = flood.await.unwrap().iter().filter(|reply| reply.status == 503).count();
    let metrics = scrape(&server).await;
    assert_eq!(metrics.value("portcullis_hashing_refused_total"), f64::from(u32::try_from(refused).unwrap()));
    assert_eq!((metrics.value("portcullis_hashing_busy"), metrics.value("portcullis_hashing_waiting")), (0.0, 0.0));
}

/// AU2: no label tells of anybody, or grows with what is asked.
#[tokio::test]
async fn au2_metrics_tell_of_nobody() {
    let server = Home::new().with("AUTH_METRICS_LISTEN", "127.0.0.1:0").start().await;
    let client = server.client();
    let person = Person::registered(&client).await;
    let tokens = person.sign_in(&client).await;
    let before = scrape(&server).await.samples.len();
    for i in 0..20 {
        let id = uuid::Uuid::from_bytes(rand::random());
        client.root(&format!("/canary-{i}?token=canary")).problem(404, "NOT_FOUND").await;
        client
            .call(Method::DELETE, &format!("/v1/auth/sessions/{id}"))
            .bearer(&tokens.access)
            .problem(404, "NOT_FOUND")
            .await;
        client.call(Method::from_bytes(format!("CANARY{i}").as_bytes()).unwrap(), "/v1/auth/me").send().await;
    }
    let metrics = scrape(&server).await;
    for secret in [&person.email, &person.password, &tokens.access, &tokens.refresh, "canary", "CANARY", "127.0.0.1"] {
        assert!(!metrics.text.contains(secret), "{secret}: {}", metrics.text);
    }
    // Two operations more, with their outcomes and buckets; however often they are asked.
    assert!(metrics.samples.len() < before + 50, "{}", metrics.text);
}

/// Metrics have a listener of their own, and nothing else is there.
#[tokio::test]
async fn metrics_are_not_for_the_public() {
    let server = Home::new().with("AUTH_METRICS_LISTEN", "127.0.0.1:0").start().await;
    server.client().root("/metrics").problem(404, "NOT_FOUND").await;
    let metrics = listener(&server);
    for path in ["/", "/healthz", "/v1/auth/me"] {
        assert_eq!(metrics.root(path).send().await.status, 404, "{path}");
    }
    assert_eq!(metrics.call(Method::POST, "/metrics").send().await.status, 405);

    // Where nobody asked for them, there is none.
    let server = Home::new().start().await;
    assert!(!server.output().contains("metrics"), "{}", server.output());
    let taken = server.address.to_string();
    let refusal = Home::new().with("AUTH_METRICS_LISTEN", &taken).refused();
    assert!(refusal.contains(&taken), "{refusal}");
}

/// What Prometheus was answered.
pub(crate) struct Metrics {
    pub(crate) text: String,
    /// The value of each sample, by name and labels.
    samples: BTreeMap<String, f64>,
}

impl Metrics {
    #[track_caller]
    pub(crate) fn value(&self, sample: &str) -> f64 {
        *self.samples.get(sample).unwrap_or_else(|| panic!("no {sample}: {}", self.text))
    }
}

fn listener(server: &Server) -> Client {
    let output = server.output();
    let line = output.lines().find_map(|line| line.strip_prefix("metrics on http://")).unwrap();
    let address: SocketAddr = line.strip_suffix("/metrics").unwrap().parse().unwrap();
    Client::to(address)
}

pub(crate) async fn scrape(server: &Server) -> Metrics {
    let reply = listener(server).root("/metrics").send().await;
    assert_eq!(reply.status, 200);
    let kind = reply.headers["content-type"].to_str().unwrap();
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    let samples = parse(&text);
    Metrics { text, samples }
}

/// Reads OpenMetrics text (version 1.0), and refuses what breaks its rules: samples of a family that wasn't described, a
/// family or sample that is there twice, buckets that shrink, a missing end.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("an end");
    let (mut kinds, mut samples) = (BTreeMap::new(), BTreeMap::new());
    let (mut family, mut bucket) = (String::new(), (String::new(), 0.0));
    for line in body.lines() {
        if let Some(description) = line.strip_prefix("# ") {
            let mut words = description.splitn(3, ' ');
            let (what, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            assert!(name.starts_with("portcullis_"), "{line}");
            if what == "TYPE" {
                family = name.to_owned();
                assert!(kinds.insert(family.clone(), rest.to_owned()).is_none(), "twice: {line}");
            }
            assert!(["TYPE", "HELP", "UNIT"].contains(&what) && !rest.is_empty(), "{line}");
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        let name = sample.split('{').next().unwrap();
        let suffixes: &[&str] = match kinds[&family].as_str() {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            "gauge" => &[""],
            other => panic!("{other}: {line}"),
        };
        assert!(suffixes.iter().any(|suffix| name == format!("{family}{suffix}")), "{line} after {family}");
        if let (true, Some((series, _))) = (name.ends_with("_bucket"), sample.rsplit_once("le=")) {
            let shrinks = bucket.0 == series && bucket.1 > value;
            assert!(!shrinks, "{line}");
            bucket = (series.to_owned(), value);
        }
        assert!(samples.insert(sample.to_owned(), value).is_none(), "twice: {line}");
    }
    samples
}
