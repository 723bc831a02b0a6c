//! The server as a process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::client::Client;
use super::mail::Inbox;
use super::{eventually, is_by_diesel};

/// A folder that servers run in, and the whole environment that they get.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: Arc<TempDir>,
    below: PathBuf,
    environment: BTreeMap<String, String>,
    runs: Arc<AtomicU32>,
}

impl Home {
    /// An empty folder, and an environment that asks for nothing but a free port.
    pub(crate) fn new() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let (below, environment) = (PathBuf::new(), BTreeMap::new());
        let home = Self { folder, below, environment, runs: Arc::default() }.with("AUTH_LISTEN", "127.0.0.1:0");
        if is_by_diesel() { home.with("AUTH_STORE", "diesel") } else { home }
    }

    /// With a variable, in place of any of that name.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without that variable.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// With servers running in a folder below this one.
    pub(crate) fn below(mut self, name: &str) -> Self {
        self.below.push(name);
        fs::create_dir_all(self.path("")).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(&self.below).join(name)
    }

    /// The mail folder where the environment names no other.
    pub(crate) fn mails(&self) -> Inbox {
        Inbox::Folder(self.path("mail"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-server"));
        // Of the tests' own environment only what a coverage run adds.
        let coverage = std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file));
        command.env_clear().envs(coverage).envs(&self.environment);
        command.args(arguments).current_dir(self.path("")).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that reads `input`, to its end.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut process = process.unwrap();
        // Who refuses its arguments doesn't read.
        process.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        process.wait_with_output().unwrap()
    }

    /// Runs a shell's command at a terminal of its own, and types each answer once its question is there. Returns the exit
    /// code, and all that the terminal showed.
    pub(crate) fn at_terminal(&self, command: &str, answers: &[(&str, &str)]) -> (Option<i32>, String) {
        let mut script = Command::new("script");
        script.args(["-qec", command, "/dev/null"]).env_clear().envs(&self.environment).current_dir(self.path(""));
        script.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        let mut terminal = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut keyboard, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
        let (mut shown, mut asked) = (Vec::new(), 0);
        let mut byte = [0];
        while screen.read(&mut byte).unwrap() > 0 {
            shown.extend(byte);
            if let Some((question, answer)) = answers.get(asked)
                && text(&shown).split_terminator('\n').next_back().is_some_and(|line| line.starts_with(question))
                && shown.ends_with(b": ")
            {
                // As slow as a person: the echo goes off after the question is shown, and what is typed before then shows.
                std::thread::sleep(std::time::Duration::from_millis(500));
                keyboard.write_all(format!("{answer}\n").as_bytes()).unwrap();
                asked += 1;
            }
        }
        (terminal.wait().unwrap().code(), text(&shown))
    }

    /// What a command prints as JSON that is done.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.done(&[&["--json"][..], arguments].concat())).unwrap()
    }

    /// Runs a command that is done, and returns what it printed.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {out}{err}");
        out
    }

    /// Runs a server that refuses to start, and returns why.
    pub(crate) fn refused(&self) -> String {
        self.failed(&[])
    }

    /// Runs a command that fails, and returns why.
    pub(crate) fn failed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {out}{err}");
        assert!(!out.contains("listening"), "{out}");
        err
    }

    /// Starts a server, and waits until it listens.
    pub(crate) async fn start(&self) -> Server {
        self.start_with(&[]).await
    }

    /// Starts a server with arguments, and waits until it listens.
    pub(crate) async fn start_with(&self, arguments: &[&str]) -> Server {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let (out, log) = (self.path(&format!("run-{run}.out")), self.path(&format!("run-{run}.log")));
        // Files, not pipes: what a server has written before it answered is there once it has answered.
        let files = (File::create(&out).unwrap(), File::create(&log).unwrap());
        let process = self.command(arguments).stdout(files.0).stderr(files.1).spawn().unwrap();
        let mut server =
            Server { process, address: SocketAddr::from(([127, 0, 0, 1], 0)), out, log, _home: self.clone() };
        let process = Mutex::new(&mut server.process);
        let bound = eventually("the server listens", async || {
            // In this order: a process that has ended writes nothing more.
            let ended = process.lock().unwrap().try_wait().unwrap();
            let (output, log) = (read(&server.out), read(&server.log));
            let address = listening(&output);
            assert!(address.is_some() || ended.is_none(), "ended at start ({ended:?}): {output}{log}");
            address
        });
        server.address = bound.await;
        server
    }
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    out: PathBuf,
    log: PathBuf,
    /// Kept for as long as anybody runs in it.
    _home: Home,
}

impl Server {
    pub(crate) fn client(&self) -> Client {
        Client::to(self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it has written to standard output.
    pub(crate) fn output(&self) -> String {
        read(&self.out)
    }

    /// What it has written to standard error.
    pub(crate) fn log(&self) -> String {
        read(&self.log)
    }

    /// SIGKILL: nothing is finished.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM: what is under way is finished.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
    }

    /// SIGINT, which is Ctrl-C: likewise.
    pub(crate) fn interrupt(&self) {
        kill_process(Pid::from_child(&self.process), Signal::INT).unwrap();
    }

    /// Waits until it has ended by itself, and returns its exit code.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        let process = Mutex::new(&mut self.process);
        eventually("the server ends", async || process.lock().unwrap().try_wait().unwrap()).await.code()
    }

    /// Stops it, and has seen it end well.
    pub(crate) async fn stop(self) {
        self.terminate();
        assert_eq!(self.ended().await, Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        if std::thread::panicking() {
            println!("--- {} ---\n{}{}", self.log.display(), self.output(), self.log());
        }
    }
}

/// The address in the line that says where a server listens.
fn listening(output: &str) -> Option<SocketAddr> {
    let line = output.split_inclusive('\n').find_map(|line| line.strip_prefix("listening on http://"))?;
    line.strip_suffix('\n')?.parse().ok()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
