//! What the environment tells the tests, and what they report.

pub(crate) mod proxy;

use std::fs::OpenOptions;
use std::io::Write;

/// The URL in `variable`; `None` where the run leaves `server` out. A server that is neither given nor left out fails
/// the test: nobody should believe that it was tried.
pub(crate) fn server(server: &str, variable: &str) -> Option<String> {
    let skipped = std::env::var("PORTCULLIS_SKIP").unwrap_or_default();
    if skipped.split(',').any(|name| name.trim() == server) {
        return None;
    }
    Some(std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} isn't set: run `cargo xtask test`, or set it, or put {server} into PORTCULLIS_SKIP")
    }))
}

/// Notes that the suite ran against that version.
pub(crate) fn report(backend: &str, version: &str) {
    if let Some(file) = std::env::var_os("PORTCULLIS_SUITE_REPORT") {
        // One write, so that lines of tests that run at once don't mix.
        let line = format!("{}\t{backend}\t{version}\n", crate::SUITE);
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// Names this run of this suite, the same in each of its processes.
pub(crate) fn run() -> String {
    let run = std::env::var("NEXTEST_RUN_ID").map_or_else(|_| std::process::id().to_string(), |id| id.replace('-', ""));
    format!("{}_{run}", crate::SUITE.replace('-', "_"))
}

/// A name that no other test of any process has.
pub(crate) fn unique_name() -> String {
    format!("portcullis_{}", auth_testkit::given::id::<uuid::Uuid>().simple())
}
