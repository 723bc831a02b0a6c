//! What `auth-server` can be told to do: one file a command.

pub(crate) mod migrate;
pub(crate) mod schema;
pub(crate) mod serve;

/// Prints a result on standard output.
#[expect(clippy::print_stdout, reason = "what a command prints is its result")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// Says on standard error why a command failed.
#[expect(clippy::print_stderr, reason = "whoever started the command must hear of it, whatever the log level")]
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}
