//! Scenes in a real browser, for the tests of the examples: each includes this file.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

#[path = "application.rs"]
mod application;

use application::Application;

/// An application, and the script that plays with it.
pub(crate) struct Stage {
    /// The example's name, as the report of suites has it.
    pub(crate) suite: &'static str,
    /// The program.
    pub(crate) program: &'static str,
    /// What Node runs.
    pub(crate) script: &'static str,
}

impl Stage {
    /// Plays a scene against an application of its own.
    pub(crate) fn play(&self, scene: &str) {
        if left_out() {
            return;
        }
        let application = Application::start(self.program);
        self.play_at(&application.origin, &application.mails(), scene);
    }

    /// Plays a scene against an application that is there.
    pub(crate) fn play_at(&self, origin: &str, mails: &Path, scene: &str) {
        if left_out() {
            return;
        }
        let mut node = Command::new(told("PORTCULLIS_TEST_NODE"));
        node.args([self.script, scene, origin]).arg(mails);
        // Nothing else that the run tells its tests is of use there.
        for name in ["PORTCULLIS_TEST_CHROMIUM", "PORTCULLIS_TEST_PLAYWRIGHT"] {
            node.env(name, told(name));
        }
        let status = node.stdin(Stdio::null()).status().unwrap();
        assert!(status.success(), "{scene}: {status}");
        self.report(&told("PORTCULLIS_TEST_BROWSER_VERSION"));
    }

    /// Notes that this suite ran against that version.
    fn report(&self, version: &str) {
        if let Some(file) = env::var_os("PORTCULLIS_SUITE_REPORT") {
            // One write, so that lines of tests that run at once don't mix.
            let line = format!("{}\tbrowser\t{version}\n", self.suite);
            OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
        }
    }
}

/// Whether this run leaves the browser out.
fn left_out() -> bool {
    env::var("PORTCULLIS_SKIP").is_ok_and(|skipped| skipped.split(',').any(|name| name.trim() == "browser"))
}

/// What the run tells its tests. One that is told nothing fails: nobody should believe that it was tried.
fn told(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} isn't set: run `cargo xtask test`, or put browser into PORTCULLIS_SKIP"))
}
