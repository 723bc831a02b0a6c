//! What the tests are told by their environment, what they report, and what they are made of.

pub(crate) mod checks;
pub(crate) mod client;
pub(crate) mod database;
pub(crate) mod mail;
pub(crate) mod mariadb;
pub(crate) mod network;
pub(crate) mod nodes;
pub(crate) mod person;
pub(crate) mod process;
pub(crate) mod race;
pub(crate) mod redis;
pub(crate) mod smtp;
pub(crate) mod whole_life;

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

/// The value of `variable`, which says where `server` is; `None` where the run leaves it out. A server that is neither
/// given nor left out fails the test: nobody should believe that it was tried.
pub(crate) fn server(server: &str, variable: &str) -> Option<String> {
    let skipped = std::env::var("PORTCULLIS_SKIP").unwrap_or_default();
    if skipped.split(',').any(|name| name.trim() == server) {
        return None;
    }
    Some(std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} isn't set: run `cargo xtask test`, or set it, or put {server} into PORTCULLIS_SKIP")
    }))
}

tokio::task_local! {
    static BY_DIESEL: ();
}

/// Runs a test whose servers store by diesel.
pub(crate) async fn by_diesel(test: impl Future<Output = ()>) {
    BY_DIESEL.scope((), test).await;
}

/// Whether the test at hand is one of those.
pub(crate) fn is_by_diesel() -> bool {
    BY_DIESEL.try_with(|()| ()).is_ok()
}

/// Notes that this suite ran against that version.
pub(crate) fn report(backend: &str, version: &str) {
    if let Some(file) = std::env::var_os("PORTCULLIS_SUITE_REPORT") {
        let suite = if is_by_diesel() { "server-diesel" } else { "server" };
        // One write, so that lines of tests that run at once don't mix.
        let line = format!("{suite}\t{backend}\t{version}\n");
        OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// Asks until there is an answer, for at most `PATIENCE`.
pub(crate) async fn eventually<T>(what: &str, answer: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        let mut pause = Duration::from_millis(5);
        loop {
            if let Some(answer) = answer().await {
                return answer;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

/// Longer than anything here may take on a busy machine: the lease of a mail, its longest attempt, its first retries.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
