//! How commands tell what they found.

use std::io::Write;

use serde_json::Value;

/// For people, or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines and tables.
    Text,
    /// One JSON value.
    Json,
}

impl Format {
    /// Prints a result on standard output: as `json`, or as `text` puts it.
    pub(crate) fn print(self, json: &Value, text: impl FnOnce() -> String) {
        match self {
            Self::Json => say(&json.to_string()),
            Self::Text => say(text().trim_end()),
        }
    }
}

/// Prints a line on standard output. A reader that has seen enough (`… | head`) is no error.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says on standard error why a command failed.
#[expect(clippy::print_stderr, reason = "whoever started the command must hear of it, whatever the log level")]
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}
