//! Log lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::Failure;

/// Logs what `filter` lets through. Standard output stays free for results, and for the line that says where the server
/// listens.
pub(crate) fn start(filter: &str) -> Result<(), Failure> {
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(filter.parse::<Targets>()?).try_init()?;
    Ok(())
}
