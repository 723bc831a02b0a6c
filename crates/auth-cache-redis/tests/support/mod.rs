//! Servers, and nodes that share them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use auth_cache_redis::{Redis, RedisSessions, RedisThrottle, RedisUrl};
use auth_core::domain::{SessionKey, Signed, UserId};
use auth_core::port::{Cached, Limit, SessionCache, ThrottleKey, Ticket};
use auth_testkit::given;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A backend of this run.
#[derive(Clone, Copy)]
pub(crate) enum Backend {
    Single,
    Cluster,
}

impl Backend {
    pub(crate) const ALL: [Self; 2] = [Self::Single, Self::Cluster];

    /// What `cargo xtask test` calls it, and where it says that it is.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Single => ("redis", "PORTCULLIS_TEST_REDIS"),
            Self::Cluster => ("redis-cluster", "PORTCULLIS_TEST_REDIS_CLUSTER"),
        }
    }

    /// Its address; `None` where the run leaves it out. One that is neither given nor left out fails the test: nobody should
    /// believe that it was tried.
    pub(crate) fn url(self) -> Option<String> {
        let (name, variable) = self.names();
        let skipped = std::env::var("PORTCULLIS_SKIP").unwrap_or_default();
        if skipped.split(',').any(|other| other.trim() == name) {
            return None;
        }
        Some(std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} isn't set: run `cargo xtask test`, or set it, or put {name} into PORTCULLIS_SKIP")
        }))
    }

    /// What is there under a prefix that nobody else has; `None` where the run leaves it out.
    pub(crate) fn open(self) -> Option<Redis> {
        let prefix = format!("test-{}:", uuid::Uuid::from_bytes(given::bytes()).simple());
        Some(patient(&self.url()?, &prefix))
    }

    /// Notes for `cargo xtask test` what the suite ran against.
    pub(crate) fn report(self, version: &str) {
        if let Some(file) = std::env::var_os("PORTCULLIS_SUITE_REPORT") {
            // One write, so that lines of tests that run at once don't mix.
            let line = format!("cache\t{}\t{version}\n", self.names().0);
            OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
        }
    }
}

/// The server of this run; `None` where the run leaves Redis out.
pub(crate) fn shared() -> Option<String> {
    Backend::Single.url()
}

/// A connection that waits as long as a busy machine may take.
pub(crate) fn patient(url: &str, prefix: &str) -> Redis {
    Redis::with_patience(&RedisUrl::parse(url).unwrap(), prefix, Duration::from_secs(20)).unwrap()
}

/// Sessions as several nodes see them: each call goes to the next node.
#[derive(Debug)]
pub(crate) struct InTurn {
    pub(crate) nodes: Vec<RedisSessions>,
    pub(crate) next: AtomicUsize,
}

impl InTurn {
    pub(crate) fn of(nodes: Vec<RedisSessions>) -> Arc<Self> {
        Arc::new(Self { nodes, next: AtomicUsize::new(0) })
    }

    fn next(&self) -> &RedisSessions {
        &self.nodes[self.next.fetch_add(1, Ordering::Relaxed) % self.nodes.len()]
    }
}

#[async_trait]
impl SessionCache for InTurn {
    async fn find(&self, key: &SessionKey, user: UserId) -> Cached {
        self.next().find(key, user).await
    }

    async fn keep(&self, ticket: Ticket, signed: &Arc<Signed>) {
        self.next().keep(ticket, signed).await;
    }

    async fn forget(&self, users: &[UserId]) {
        self.next().forget(users).await;
    }

    async fn forget_all(&self) {
        self.next().forget_all().await;
    }
}

/// What one node has: a connection of its own, and counts of its own.
pub(crate) struct Node {
    pub(crate) redis: Redis,
    pub(crate) throttle: RedisThrottle,
    pub(crate) sessions: RedisSessions,
}

impl Node {
    /// One that waits as long as a busy machine may take: what is counted where doesn't depend on it.
    pub(crate) fn patient(url: &str) -> Self {
        Self::at(url, Duration::from_secs(20))
    }

    pub(crate) fn at(url: &str, patience: Duration) -> Self {
        let redis = Redis::with_patience(&RedisUrl::parse(url).unwrap(), "test:", patience).unwrap();
        Self { throttle: RedisThrottle::new(redis.clone()), sessions: RedisSessions::new(redis.clone()), redis }
    }
}

/// A key that no other test has.
pub(crate) fn key() -> ThrottleKey {
    ThrottleKey::new("test", &given::bytes::<16>())
}

pub(crate) const HOURLY: fn(u32) -> Limit = |uses| Limit { uses, window: Duration::from_secs(3600) };

/// A server of a test's own, to be stopped and frozen.
pub(crate) struct Server {
    port: u16,
    process: Child,
    /// What it runs in.
    folder: TempDir,
}

impl Server {
    /// `None` where the run leaves Redis out.
    pub(crate) async fn start() -> Option<Self> {
        shared()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let server = Self { port, process: spawn(port, &folder), folder };
        server.is_up().await;
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn node(&self) -> Node {
        Node::patient(&self.url())
    }

    /// The commands that it was given since it was last asked, and how often; but for those that ask this.
    pub(crate) async fn calls(&self) -> Vec<(String, u64)> {
        let mut connection = self.connection().await;
        let stats: String = redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await.unwrap();
        redis::cmd("CONFIG").arg("RESETSTAT").query_async::<()>(&mut connection).await.unwrap();
        let calls = stats.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        });
        let is_ours = |name: &str| !["info", "config|resetstat", "client|setinfo", "hello"].contains(&name);
        calls.filter(|(name, _)| is_ours(name)).collect()
    }

    /// How many connections it has had, ever.
    pub(crate) async fn connections(&self) -> u64 {
        let mut connection = self.connection().await;
        let stats: String = redis::cmd("INFO").arg("stats").query_async(&mut connection).await.unwrap();
        let total = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        total.unwrap().parse().unwrap()
    }

    /// A connection beside the nodes'.
    pub(crate) async fn connection(&self) -> redis::aio::MultiplexedConnection {
        redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    pub(crate) fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again, empty, at the same address.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(self.port, &self.folder);
        self.is_up().await;
    }

    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    async fn is_up(&self) {
        eventually(async || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Keeps nothing on disk.
fn spawn(port: u16, folder: &TempDir) -> Child {
    let mut redis = Command::new("redis-server");
    redis.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    redis.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("redis-server")
}

/// Asks until it is so.
pub(crate) async fn eventually(is_so: impl AsyncFn() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("within PATIENCE");
}

/// Longer than anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
