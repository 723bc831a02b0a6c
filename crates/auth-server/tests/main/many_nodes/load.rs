//! DF5: what people do goes on while Redis is emptied, frozen, restarted, or fails over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use auth_cache_redis::RedisSessions;
use hyper::header::HeaderName;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::metrics::scrape;
use crate::support::checks::{LOCAL_CACHE, until};
use crate::support::client::{Call, Reply};
use crate::support::database::{Backend, Site};
use crate::support::eventually;
use crate::support::nodes::Nodes;
use crate::support::person::Person;
use crate::support::race::{count, race};
use crate::support::redis::{Kind, Redis};

/// How long a revoked session may go on at worst: where Redis couldn't be told that it is, its copies have to end.
const AT_WORST: Duration = RedisSessions::LIFETIME.saturating_add(LOCAL_CACHE);

/// DF5: emptied again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn df5_redis_is_emptied() {
    let Some(redis) = Redis::of(Kind::Single).await else { return };
    goes_on(redis, LOCAL_CACHE, async |redis| {
        for _ in 0..20 {
            redis.flush();
            sleep(Duration::from_millis(150)).await;
        }
    })
    .await;
}

/// DF5, RL3: frozen, and thawed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn df5_redis_is_frozen() {
    let Some(redis) = Redis::of(Kind::Single).await else { return };
    goes_on(redis, AT_WORST, async |redis| {
        for pause in [200, 1500, 8000] {
            redis.freeze();
            sleep(Duration::from_millis(pause)).await;
            redis.thaw();
            sleep(Duration::from_millis(500)).await;
        }
    })
    .await;
}

/// DF5, RL3: killed, and started again without what it had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn df5_redis_is_restarted() {
    let Some(redis) = Redis::of(Kind::Single).await else { return };
    goes_on(redis, AT_WORST, async |redis| {
        for _ in 0..2 {
            redis.restart().await;
            sleep(Duration::from_millis(1500)).await;
        }
    })
    .await;
}

/// DF5, RL3: a master of a Cluster is killed, and its replica takes over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn df5_a_cluster_fails_over() {
    let Some(redis) = Redis::of(Kind::Cluster).await else { return };
    goes_on(redis, AT_WORST, async |redis| redis.fail_over().await).await;
}

/// Two nodes under a steady load, while something happens to their Redis and after it. No session is found alive by a request that
/// was sent `bound` after it was ended, nor ever again; no link is good twice; and nothing is answered with 5xx, but for what must not
/// happen twice while nobody can tell.
async fn goes_on(mut redis: Redis, bound: Duration, happens: impl AsyncFnOnce(&mut Redis)) {
    let Some(site) = Site::unthrottled(Backend::Postgres).await else { return };
    let site = site.sharing(&redis.url()).with("AUTH_METRICS_LISTEN", "127.0.0.1:0");
    let load = Arc::new(Load {
        nodes: Nodes::of(site, 2).await,
        bound,
        is_over: AtomicBool::new(false),
        may_fail: AtomicBool::new(false),
        turn: AtomicUsize::new(0),
    });
    let mut people = JoinSet::new();
    for _ in 0..3 {
        people.spawn(Arc::clone(&load).visits());
    }
    people.spawn(Arc::clone(&load).registrations());
    let while_it_happens = async {
        sleep(Duration::from_secs(1)).await;
        // What comes back from emptiness was never away.
        load.may_fail.store(bound > LOCAL_CACHE, Ordering::SeqCst);
        happens(&mut redis).await;
        for node in &load.nodes.servers {
            let up = async || (scrape(node).await.value("portcullis_redis_up") == 1.0).then_some(());
            eventually("Redis is back", up).await;
            let listening = async || (scrape(node).await.value("portcullis_redis_listening") == 1.0).then_some(());
            eventually("the node listens", listening).await;
        }
        // A Cluster's other servers may still have to be asked who has what.
        sleep(Duration::from_secs(3)).await;
        load.may_fail.store(false, Ordering::SeqCst);
        sleep(Duration::from_secs(2)).await;
        load.is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(while_it_happens, load.resets());
    while let Some(outcome) = people.join_next().await {
        outcome.unwrap();
    }

    // As before: what names itself happens once, and is answered by any node.
    let person = Person::new();
    let register = |i| person.register(&load.nodes.client(i)).header(IDEMPOTENCY_KEY, "once");
    let replies = [register(0).send().await, register(1).send().await];
    assert_eq!(replies[0].expect(201), replies[1].expect(201));
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

struct Load {
    nodes: Nodes,
    bound: Duration,
    is_over: AtomicBool,
    /// Whether Redis may be away, and nobody able to tell what has happened.
    may_fail: AtomicBool,
    turn: AtomicUsize,
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::SeqCst)
    }

    /// The next node.
    fn client(&self) -> crate::support::client::Client {
        self.nodes.client(self.turn.fetch_add(1, Ordering::Relaxed))
    }

    /// Somebody who signs in, looks at things, and signs out, again and again.
    async fn visits(self: Arc<Self>) {
        let person = Person::registered(&self.client()).await;
        let mut ended = Vec::new();
        while self.goes_on() {
            let tokens = person.sign_in(&self.client()).await;
            for _ in 0..20 {
                tokens.me(&self.client()).expect(200).await;
                sleep(Duration::from_millis(3)).await;
            }
            self.client().post("/logout", &json!({})).bearer(&tokens.access).expect(204).await;
            let since = Instant::now();
            let is_dead = |reply: &Reply| {
                assert!(reply.status < 500, "{reply:?}");
                reply.status == 401
            };
            for node in 0..2 {
                until(since, self.bound, || tokens.me(&self.nodes.client(node)), is_dead).await;
            }
            ended.push((since, tokens));
            for (since, tokens) in ended.iter().rev().take(5) {
                let is_due = since.elapsed() > self.bound;
                let reply = tokens.me(&self.client()).send().await;
                assert!(reply.status == 401 || !is_due && reply.status == 200, "{reply:?}");
            }
        }
        for (since, tokens) in &ended {
            sleep(self.bound.saturating_sub(since.elapsed())).await;
            tokens.me(&self.client()).problem(401, "UNAUTHORIZED").await;
        }
    }

    /// Somebody who forgets their password again and again, and whose every link is used ten times at once.
    async fn resets(&self) {
        while self.goes_on() {
            let person = Person::registered(&self.client()).await;
            self.client().post("/password/reset/request", &json!({ "email": person.email })).expect(202).await;
            let token = self.nodes.site.home.mails().wait_for(&person.email, "reset").await.token();
            let confirm = |i: usize| -> Call {
                let body = json!({ "token": token, "password": format!("{} {i}", person.password) });
                self.nodes.client(i).post("/password/reset/confirm", &body)
            };
            let replies = race((0..10).map(confirm)).await;
            assert_eq!((count(&replies, 204), count(&replies, 400)), (1, 9), "{replies:?}");
        }
    }

    /// Somebody who registers under a key, and asks for it again.
    async fn registrations(self: Arc<Self>) {
        while self.goes_on() {
            let person = Person::new();
            for _ in 0..2 {
                let mut may_fail = self.may_fail.load(Ordering::SeqCst);
                // On a machine so busy that a call isn't answered in time, nobody asks for a second.
                for patience in (0..10).rev() {
                    let call = person.register(&self.client()).header(IDEMPOTENCY_KEY, &person.email);
                    let reply = call.send().await;
                    may_fail |= self.may_fail.load(Ordering::SeqCst);
                    if reply.status == 503 && (may_fail || patience > 0) {
                        sleep(Duration::from_millis(500)).await;
                        continue;
                    }
                    // 409: Redis has forgotten the first, which has happened.
                    assert!([201, 409].contains(&reply.status), "{reply:?}");
                    break;
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}
