//! Redis: that of the run, and servers of a test's own, to be frozen, emptied and killed.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{eventually, report, server};

/// One server, or a Cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Single,
    Cluster,
}

impl Kind {
    /// The address of the run's own; `None` where the run leaves it out.
    pub(crate) fn url(self) -> Option<String> {
        let (name, variable) = match self {
            Self::Single => ("redis", "PORTCULLIS_TEST_REDIS"),
            Self::Cluster => ("redis-cluster", "PORTCULLIS_TEST_REDIS_CLUSTER"),
        };
        let url = server(name, variable)?;
        report(name, &version());
        Some(url)
    }
}

/// Of the server on this machine, which is the one of this run.
fn version() -> String {
    let said = Command::new("redis-server").arg("--version").output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    said.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap().to_owned()
}

/// Servers of a test's own: one, or three masters of a Cluster, each with a replica. They end with this.
pub(crate) struct Redis {
    servers: Vec<Process>,
    folder: TempDir,
}

struct Process {
    port: u16,
    process: Child,
    /// What it was started with.
    arguments: Vec<String>,
}

impl Process {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

impl Redis {
    /// Of that kind; `None` where the run leaves it out.
    pub(crate) async fn of(kind: Kind) -> Option<Self> {
        kind.url()?;
        Some(match kind {
            Kind::Single => Self::single().await,
            Kind::Cluster => Self::cluster().await,
        })
    }

    async fn single() -> Self {
        let mut redis = Self { servers: Vec::new(), folder: tempfile::tempdir().unwrap() };
        redis.start(&[]).await;
        redis
    }

    /// A master counts as lost after a second, and its replica takes over.
    async fn cluster() -> Self {
        let mut redis = Self { servers: Vec::new(), folder: tempfile::tempdir().unwrap() };
        for _ in 0..6 {
            let (bus, file) = (free_port().to_string(), format!("{}.conf", redis.servers.len()));
            let cluster = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-config-file", &file];
            let hasty = ["--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"];
            redis.start(&[&cluster[..], &hasty].concat()).await;
        }
        let addresses = redis.servers.iter().map(|server| format!("127.0.0.1:{}", server.port));
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]).args(addresses).args(["--cluster-replicas", "1", "--cluster-yes"]);
        let created = create.stdin(Stdio::null()).output().unwrap();
        assert!(created.status.success(), "{created:?}");
        redis.is_whole().await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        let urls: Vec<String> =
            self.servers.iter().map(|server| format!("redis://127.0.0.1:{}", server.port)).collect();
        urls.join(",")
    }

    /// Every server of a Cluster knows of all slots that somebody has them, and every replica has what its master has.
    async fn is_whole(&self) {
        eventually("a Cluster", async || {
            let is_whole = |server: &Process| {
                let role = ask(server.port, &["INFO", "replication"]);
                ask(server.port, &["CLUSTER", "INFO"]).contains("cluster_state:ok")
                    && (role.contains("master_link_status:up") || role.contains("connected_slaves:1"))
            };
            self.servers.iter().all(is_whole).then_some(())
        })
        .await;
    }

    /// Asks the first server.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        ask(self.servers[0].port, words)
    }

    /// Empties all of them.
    pub(crate) fn flush(&self) {
        for server in &self.servers {
            ask(server.port, &["FLUSHALL"]);
        }
    }

    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Freezes one that has nothing to itself.
    pub(crate) fn freeze_a_replica(&self) {
        let is_replica = |server: &&Process| ask(server.port, &["ROLE"]).starts_with("slave");
        self.servers.iter().find(is_replica).unwrap().signal(Signal::STOP);
    }

    fn signal(&self, signal: Signal) {
        for server in &self.servers {
            server.signal(signal);
        }
    }

    /// Kills a master, and waits until its replica has taken over.
    pub(crate) async fn fail_over(&mut self) {
        let is_master = |server: &Process| ask(server.port, &["ROLE"]).starts_with("master");
        let place = self.servers.iter().position(is_master).unwrap();
        let mut lost = self.servers.remove(place);
        lost.process.kill().unwrap();
        lost.process.wait().unwrap();
        let masters = async || (self.servers.iter().filter(|server| is_master(server)).count() == 3).then_some(());
        eventually("a replica that takes over", masters).await;
    }

    /// Kills all of them, and starts them again, empty.
    pub(crate) async fn restart(&mut self) {
        for mut server in std::mem::take(&mut self.servers) {
            server.process.kill().unwrap();
            server.process.wait().unwrap();
            server.process = spawn(server.port, &server.arguments, &self.folder);
            self.servers.push(server);
        }
        self.are_up().await;
    }

    async fn start(&mut self, arguments: &[&str]) {
        let port = free_port();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self.servers.push(Process { port, process: spawn(port, &arguments, &self.folder), arguments });
        self.are_up().await;
    }

    async fn are_up(&self) {
        let is_up = |server: &Process| ask(server.port, &["PING"]).starts_with("PONG");
        eventually("Redis", async || self.servers.iter().all(is_up).then_some(())).await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        for server in &mut self.servers {
            server.process.kill().ok();
            server.process.wait().ok();
        }
    }
}

/// Keeps nothing on disk.
fn spawn(port: u16, arguments: &[String], folder: &TempDir) -> Child {
    let mut redis = Command::new("redis-server");
    redis.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    redis.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
    redis.spawn().expect("redis-server")
}

fn ask(port: u16, words: &[&str]) -> String {
    let mut client = Command::new("redis-cli");
    client.args(["-p", &port.to_string()]).args(words).stdin(Stdio::null()).stderr(Stdio::null());
    String::from_utf8_lossy(&client.output().unwrap().stdout).into_owned()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
