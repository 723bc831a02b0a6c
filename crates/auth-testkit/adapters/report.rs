//! Notes for `cargo xtask test` what the suite ran against.

use std::fs::OpenOptions;
use std::io::Write;

use crate::web;

pub(crate) fn suite_ran_against(backend: &str, version: &str) {
    if let Some(file) = std::env::var_os("PORTCULLIS_SUITE_REPORT") {
        // One write, so that lines of tests that run at once don't mix.
        let line = format!("{}\t{backend}\t{version}\n", web::SUITE);
        OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
    }
}
