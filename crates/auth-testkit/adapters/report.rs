//! What `cargo xtask test` says of servers, and is told of suites.

use std::fs::OpenOptions;
use std::io::Write;

use crate::web;

/// The value of `variable`, which says where `backend` is; `None` where the run leaves it out. One that is neither given nor left
/// out fails the test: nobody should believe that it was tried.
pub(crate) fn server(backend: &str, variable: &str) -> Option<String> {
    let skipped = std::env::var("PORTCULLIS_SKIP").unwrap_or_default();
    if skipped.split(',').any(|name| name.trim() == backend) {
        return None;
    }
    Some(std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} isn't set: run `cargo xtask test`, or set it, or put {backend} into PORTCULLIS_SKIP")
    }))
}

/// Notes for `cargo xtask test` what the suite ran against.
pub(crate) fn suite_ran_against(backend: &str, version: &str) {
    if let Some(file) = std::env::var_os("PORTCULLIS_SUITE_REPORT") {
        // One write, so that lines of tests that run at once don't mix.
        let line = format!("{}\t{backend}\t{version}\n", web::SUITE);
        OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
    }
}
