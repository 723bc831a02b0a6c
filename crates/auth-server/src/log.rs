//! Log lines on standard error.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterFn, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::Failure;

/// Logs what `filter` lets through. Standard output stays free for results, and for the line that says where the server
/// listens.
pub(crate) fn start(filter: &str) -> Result<(), Failure> {
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // The values of statements are addresses, digests and hashes.
    let filter = filter.parse::<Targets>()?.with_target("tokio_postgres::query", LevelFilter::OFF);
    // Rocket logs the address of each request, in which there may be the token of a mailed link: whatever the filter says.
    let no_addresses = FilterFn::new(|metadata| !metadata.target().starts_with("rocket"));
    tracing_subscriber::registry().with(lines).with(filter).with(no_addresses).try_init()?;
    Ok(())
}
