//! The programs of other people's making that suites run against: throw-away servers, a browser, a tool that makes up
//! requests. Each has a file here and a line in [`ALL`].

mod browser;
mod mariadb;
mod postgres;
mod redis;
mod redis_cluster;
mod schemathesis;
mod ses;
mod smtp;

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::apt::Apt;
use crate::error::Error;
use crate::process::{Group, Interrupt, TICK, name};

pub(crate) const POSTGRES: &dyn Backend = &postgres::Postgres;
pub(crate) const REDIS: &dyn Backend = &redis::Redis;
pub(crate) const ALL: [&dyn Backend; 8] = [
    POSTGRES,
    &mariadb::Mariadb,
    REDIS,
    &redis_cluster::RedisCluster,
    &smtp::Smtp,
    &ses::Ses,
    &browser::Browser,
    &schemathesis::Schemathesis,
];

/// How long a server may take until it answers. Usual are two seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that was free when asked for may be taken when the server binds it.
const ATTEMPTS: usize = 3;

/// A program that suites can be run against.
pub(crate) trait Backend: Sync {
    /// What `--skip`, `PORTCULLIS_SKIP` and the suites' reports call it.
    fn name(&self) -> &'static str;

    /// Whether the program is on this machine.
    fn installed(&self) -> bool;

    /// Brings the program to this machine, if that is allowed.
    fn install(&self, apt: &mut Apt) -> Result<(), Error>;

    /// Makes it ready. A server is started on free ports of 127.0.0.1, with all its files in `home`, and answers; what the
    /// tests start themselves only has to be there.
    fn start(&self, home: Home, interrupt: &Interrupt) -> Result<Running, Error>;
}

/// A backend that is ready. Dropping it stops its processes and removes their files.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) version: String,
    /// What tells the tests where it is.
    pub(crate) environment: Vec<(&'static str, String)>,
    // In this order: the server ends before its files go.
    _processes: Vec<Group>,
    _home: Home,
}

/// Makes `backend` ready, installing it first if `apt` may.
pub(crate) fn start(backend: &dyn Backend, apt: &mut Apt, interrupt: &Interrupt) -> Result<Running, Error> {
    if !backend.installed() {
        backend.install(apt)?;
    }
    let mut attempt = 1;
    loop {
        let outcome = Home::new(backend.name()).and_then(|home| backend.start(home, interrupt));
        interrupt.check()?;
        match outcome {
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

/// The private folder of one server: its data, its settings and its log.
#[derive(Debug)]
pub(crate) struct Home(TempDir);

impl Home {
    fn new(name: &str) -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix(&format!("portcullis-{name}-")).tempdir();
        folder.map(Self).map_err(Error::io("cannot make a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs `command` to its end.
    fn run(&self, command: Command, interrupt: &Interrupt) -> Result<(), Error> {
        let name = name(&command);
        let status = self.launch(command, Signal::TERM)?.wait(interrupt)?;
        if status.success() { Ok(()) } else { Err(Error::Failed(format!("{name}: {status}\n{}", self.log()))) }
    }

    /// Starts `command` in this folder, with its output going to the log.
    fn launch(&self, mut command: Command, stop: Signal) -> Result<Group, Error> {
        let log = File::options().create(true).append(true).open(self.path().join("log"));
        let log = log.and_then(|log| Ok((log.try_clone()?, log))).map_err(Error::io("cannot write a server's log"))?;
        Group::spawn(command.current_dir(self.path()).stdin(Stdio::null()).stdout(log.0).stderr(log.1), stop)
    }

    /// Waits until `answer` has something to say.
    fn await_answer<T>(
        &self,
        server: &mut Group,
        interrupt: &Interrupt,
        mut answer: impl FnMut() -> Option<T>,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            interrupt.check()?;
            if let Some(status) = server.ended()? {
                return Err(Error::Failed(format!("ended at start: {status}\n{}", self.log())));
            }
            if let Some(answer) = answer() {
                return Ok(answer);
            }
            if Instant::now() > deadline {
                return Err(Error::Failed(format!("no answer in {PATIENCE:?}\n{}", self.log())));
            }
            thread::sleep(TICK);
        }
    }

    /// The log's last lines.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener.and_then(|listener| listener.local_addr()).map(|address| address.port()).map_err(Error::io("no free port"))
}

/// One that nobody guesses, and that needs no escape in an address.
fn password() -> io::Result<String> {
    let mut random = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(random)))
}
