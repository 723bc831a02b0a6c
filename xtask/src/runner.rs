//! The test runners: cargo-nextest where it is installed, else `cargo test`.

use std::fmt;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write, stderr, stdout};
use std::num::NonZero;
use std::ops::Add;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use rustix::process::Signal;

use crate::error::Error;
use crate::process::{Group, Interrupt};
use crate::workspace::cargo;

/// A program that runs tests and closes with their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Each test in a process of its own, with the limits of `.config/nextest.toml`. Knows no doc tests.
    Nextest,
    /// Everything, doc tests included.
    CargoTest,
    /// Only the doc tests.
    DocTests,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) success: bool,
    /// `None` if the runner came to no end of its own, for one because the tests didn't compile.
    pub(crate) tally: Option<Tally>,
}

/// How many tests did what.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    /// Ignored or filtered out.
    skipped: u64,
}

impl Runner {
    /// The runners that together run all tests; the one with most of them last, since its summary is what people look
    /// for at the end.
    pub(crate) fn all() -> &'static [Self] {
        let nextest = cargo().args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if nextest.is_ok_and(|status| status.success()) { &[Self::DocTests, Self::Nextest] } else { &[Self::CargoTest] }
    }

    /// Runs the tests that `selection` leaves, all of the workspace if it is empty. Prints what the runner prints.
    pub(crate) fn run(
        self,
        selection: &[String],
        environment: &[(&str, String)],
        interrupt: &Interrupt,
    ) -> Result<Outcome, Error> {
        let mut command = self.command(selection);
        // What a developer has set for a server of his own is none of the tests' business.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("PORTCULLIS_")) {
                command.env_remove(name);
            }
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        // The pipe to us hides the terminal from the runner.
        if stderr().is_terminal() && std::env::var_os("CARGO_TERM_COLOR").is_none() {
            command.env("CARGO_TERM_COLOR", "always");
        }

        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::spawn(&mut command, Signal::TERM)?;
        let (out, err) = (group.child().stdout.take(), group.child().stderr.take());
        let readers = [out.map(|out| self.pass_on(out, stdout())), err.map(|err| self.pass_on(err, stderr()))];
        let status = group.wait(interrupt)?;
        let tallies = readers.into_iter().flatten().filter_map(|reader| reader.join().ok().flatten());
        let tally = tallies.reduce(Tally::add);
        interrupt.check()?;
        Ok(Outcome { success: status.success(), tally })
    }

    fn command(self, selection: &[String]) -> Command {
        let mut command = cargo();
        command.args(match self {
            Self::Nextest => &["nextest", "run", "--no-fail-fast"][..],
            Self::CargoTest => &["test", "--no-fail-fast"],
            Self::DocTests => &["test", "--no-fail-fast", "--doc"],
        });
        if self == Self::Nextest && std::env::var_os("CI").is_some() {
            command.args(["--profile", "ci"]);
        }
        // More than there are processors: many tests wait for a server, or for a time to pass.
        if self == Self::Nextest {
            let processors = thread::available_parallelism().map_or(1, NonZero::get);
            command.args(["--test-threads", &(processors + processors.div_ceil(2)).to_string()]);
        }
        // With both, cargo would forget about the package.
        if !selection.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package")) {
            command.arg("--workspace");
        }
        command.arg("--all-features").args(selection);
        command
    }

    /// Copies lines from the runner to the terminal, and counts.
    fn pass_on(
        self,
        from: impl Read + Send + 'static,
        mut to: impl Write + Send + 'static,
    ) -> JoinHandle<Option<Tally>> {
        thread::spawn(move || {
            let (mut from, mut line, mut sum) = (BufReader::new(from), Vec::new(), None::<Tally>);
            while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                // A closed terminal must not stop the run: the servers still need an orderly end.
                let _ = to.write_all(&line).and_then(|()| to.flush());
                if let Some(tally) = self.tally(&String::from_utf8_lossy(&line)) {
                    sum = Some(sum.unwrap_or_default() + tally);
                }
                line.clear();
            }
            sum
        })
    }

    /// Reads a closing line: one for the whole run from nextest, one a test binary from cargo.
    fn tally(self, line: &str) -> Option<Tally> {
        let line = without_colours(line);
        match self {
            Self::Nextest => {
                let (_, counts) = line.trim_start().strip_prefix("Summary [")?.split_once(" run: ")?;
                Some(Tally::read(counts, ", "))
            }
            Self::CargoTest | Self::DocTests => {
                let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
                Some(Tally::read(counts, "; "))
            }
        }
    }
}

impl Tally {
    /// Reads `3 passed; 1 failed` and its like, with the words of both runners.
    fn read(counts: &str, separator: &str) -> Self {
        let mut tally = Self::default();
        // nextest explains some counts in parentheses: `8 passed (1 slow, 1 leaky), 2 failed`.
        let explained = |count: &str| count.ends_with(')') && !count.contains('(');
        for count in counts.trim_end().split(separator).filter(|count| !explained(count)) {
            let mut words = count.split(' ');
            let (Some(number), Some(what)) = (words.next().and_then(|number| number.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match what {
                "passed" => tally.passed += number,
                "failed" | "timed" | "exec" => tally.failed += number,
                "skipped" | "ignored" | "filtered" => tally.skipped += number,
                _ => {}
            }
        }
        tally
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The line without ANSI colour sequences (`ESC [ … m`).
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').map_or("", |(_, text)| text)).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Option<Tally> {
        Some(Tally { passed, failed, skipped })
    }

    #[test]
    fn reads_summary_of_nextest() {
        let read = |line| Runner::Nextest.tally(line);
        assert_eq!(read("     Summary [   0.004s] 4 tests run: 4 passed, 0 skipped\n"), tally(4, 0, 0));
        assert_eq!(
            read(
                "     Summary [  61.2s] 9/12 tests run: 4 passed (2 slow, 1 leaky), 2 failed, 1 exec failed, 2 timed out, 3 skipped\n"
            ),
            tally(4, 5, 3)
        );
        assert_eq!(
            read(
                "\x1b[32;1m     Summary\x1b[0m [   0.004s] \x1b[1m1\x1b[0m test run: \x1b[1m1\x1b[0m \x1b[32;1mpassed\x1b[0m, \x1b[1m0\x1b[0m skipped"
            ),
            tally(1, 0, 0)
        );
        // The output of a failed test.
        assert_eq!(read("    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out\n"), None);
    }

    #[test]
    fn reads_results_of_cargo_test() {
        let line = "test result: ok. 3 passed; 1 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s\n";
        assert_eq!(Runner::CargoTest.tally(line), tally(3, 1, 3));
        assert_eq!(Runner::CargoTest.tally("running 3 tests\n"), None);
    }

    #[test]
    fn selects_the_workspace_unless_a_package_is_named() {
        let arguments = |selection: &[&str]| {
            let selection: Vec<_> = selection.iter().map(ToString::to_string).collect();
            let command = Runner::CargoTest.command(&selection);
            command.get_args().map(|argument| argument.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert!(arguments(&["tokens"]).ends_with("test --no-fail-fast --workspace --all-features tokens"));
        assert!(arguments(&["-p", "auth-core"]).ends_with("test --no-fail-fast --all-features -p auth-core"));
    }
}
