//! Child processes that don't outlive this one.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::Error;

/// How often a waiting loop looks up.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// How long a child may take to end when asked. nextest gives its tests 10 seconds.
const GRACE: Duration = Duration::from_secs(15);

/// A child with a process group of its own: Ctrl-C at the terminal reaches it through us only, so that tests end before
/// the servers they talk to. Dropping asks it to stop, then kills the whole group.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    stop: Signal,
}

impl Group {
    /// Starts `command`, which `stop` asks to end.
    pub(crate) fn spawn(command: &mut Command, stop: Signal) -> Result<Self, Error> {
        let child = command
            .process_group(0)
            .spawn()
            .map_err(Error::io(format_args!("cannot start {}", command.get_program().display())))?;
        Ok(Self { child, stop })
    }

    /// The child itself, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// How the child ended, if it did.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.child.try_wait().map_err(Error::io("cannot wait for a child"))
    }

    /// Waits until the child has ended and kills what it left behind in its group. An interruption is passed on to the
    /// group, which then has `GRACE` to end.
    pub(crate) fn wait(mut self, interrupt: &Interrupt) -> Result<ExitStatus, Error> {
        let mut deadline = None;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if let Some(signal) = interrupt.signal() {
                match deadline {
                    None => {
                        self.send(Signal::from_named_raw(signal).unwrap_or(Signal::TERM));
                        deadline = Some(Instant::now() + GRACE);
                    }
                    Some(deadline) if Instant::now() > deadline => return Err(Error::Interrupted(signal)),
                    Some(_) => {}
                }
            }
            thread::sleep(TICK);
        }
    }

    fn send(&self, signal: Signal) {
        // The only failure left is that nobody is there any more.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.send(self.stop);
        let deadline = Instant::now() + GRACE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(TICK);
        }
        self.send(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Notices Ctrl-C, SIGTERM and SIGHUP without ending the process, so that everything is dropped in order.
#[derive(Debug)]
pub(crate) struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    pub(crate) fn watch() -> Result<Self, Error> {
        let received = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&received), number)
                .map_err(Error::io("cannot watch for signals"))?;
        }
        Ok(Self(received))
    }

    /// The latest signal received.
    fn signal(&self) -> Option<i32> {
        i32::try_from(self.0.load(Ordering::SeqCst)).ok().filter(|signal| *signal != 0)
    }

    /// # Errors
    /// [`Error::Interrupted`] once a signal was received.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.signal().map_or(Ok(()), |signal| Err(Error::Interrupted(signal)))
    }
}

/// A command for `program` that the kernel sends `stop` when this process is gone, be it by SIGKILL, and that runs as
/// `user` if one is named. Both need `setpriv` of util-linux; without it, it is plain `program`.
pub(crate) fn tethered(program: &Path, stop: Signal, user: Option<&str>) -> Command {
    let Some(setpriv) = find("setpriv") else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", if stop == Signal::QUIT { "QUIT" } else { "TERM" }]);
    if let Some(user) = user {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    command.arg("--").arg(program);
    command
}

/// The program of this name on the `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Runs `command` with captured output and hands back its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let name = command.get_program().display().to_string();
    let output = command.output().map_err(Error::io(format_args!("cannot start {name}")))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Failed(format!("{name} failed: {}", reason.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `command` for all to see, in the foreground group, so that Ctrl-C reaches it.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let name = name(command);
    eprintln!("xtask: {name}");
    let status = command.status().map_err(Error::io(format_args!("cannot start {name}")))?;
    if status.success() { Ok(()) } else { Err(Error::Failed(format!("{name}: {status}"))) }
}

/// The command as one would type it.
pub(crate) fn name(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    format!("{} {}", command.get_program().display(), arguments.collect::<Vec<_>>().join(" "))
}
