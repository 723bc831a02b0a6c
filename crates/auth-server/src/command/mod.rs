//! What `auth-server` can be told to do: one file a command.

pub(crate) mod migrate;
pub(crate) mod schema;
pub(crate) mod serve;

use std::io::Write;

/// Prints a result on standard output. A reader that has seen enough (`… | head`) is no error.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says on standard error why a command failed.
#[expect(clippy::print_stderr, reason = "whoever started the command must hear of it, whatever the log level")]
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}
