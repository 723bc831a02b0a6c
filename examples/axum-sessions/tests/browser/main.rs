//! The page in a real browser, and those who attack its visitors from elsewhere. What happens is in the scripts beside
//! this file, which Node runs with Playwright.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::env;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

// EN8, CS1, SE2, SE6
#[test]
fn en8_an_account_from_sign_up_to_sign_out() {
    play("account");
}

// VT3, VT7, VT8, VT9
#[test]
fn vt8_the_pages_for_links_in_mail_without_javascript() {
    play("mail-pages");
}

// CS2, CS3, CS4, CS5
#[test]
fn cs3_another_port_changes_nothing() {
    play("other-port");
}

// CS1, CS3, CS4, CS5
#[test]
fn cs3_another_site_changes_nothing() {
    play("other-site");
}

/// Plays a scene against an application of its own.
fn play(scene: &str) {
    if left_out() {
        return;
    }
    let application = Application::start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/main.js");
    let mut node = Command::new(told("PORTCULLIS_TEST_NODE"));
    node.args([script, scene, &application.origin]).arg(application.home.path().join("mail"));
    // Nothing else that the run tells its tests is of use there.
    for name in ["PORTCULLIS_TEST_CHROMIUM", "PORTCULLIS_TEST_PLAYWRIGHT"] {
        node.env(name, told(name));
    }
    let status = node.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{scene}: {status}");
    report(&told("PORTCULLIS_TEST_BROWSER_VERSION"));
}

/// The application as a process of its own, with an empty store. Dropping it kills it.
struct Application {
    process: Child,
    origin: String,
    home: tempfile::TempDir,
}

impl Application {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_axum-sessions"));
        command.env("AUTH_LISTEN", "127.0.0.1:0").current_dir(home.path());
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let origin = lines.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
        let origin = origin.expect("it ended before it listened");
        // Read on, lest it waits for somebody to read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, origin, home }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
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

/// Notes that this suite ran against that version.
fn report(version: &str) {
    if let Some(file) = env::var_os("PORTCULLIS_SUITE_REPORT") {
        // One write, so that lines of tests that run at once don't mix.
        let line = format!("axum-sessions\tbrowser\t{version}\n");
        OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
    }
}
