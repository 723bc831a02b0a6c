//! An application as a process of its own, for the tests of the examples: each includes this file.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The application with an empty store, in a folder of its own. Dropping it kills it.
pub(crate) struct Application {
    process: Child,
    /// Where it listens.
    pub(crate) origin: String,
    home: tempfile::TempDir,
}

impl Application {
    /// Starts `program` on a free port.
    pub(crate) fn start(program: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.env("AUTH_LISTEN", "127.0.0.1:0").current_dir(home.path());
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let origin = lines.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
        let origin = origin.expect("it ended before it listened");
        // Read on, lest it waits for somebody to read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, origin, home }
    }

    /// The folder that its mail goes to.
    pub(crate) fn mails(&self) -> PathBuf {
        self.home.path().join("mail")
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
