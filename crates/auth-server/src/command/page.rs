//! Lists by page, newest first.

use clap::Args;
use serde_json::{Value, json};

/// Which part of a list.
#[derive(Debug, Clone, Args)]
pub(crate) struct Page<Id: Clone + Send + Sync + std::str::FromStr<Err: std::error::Error + Send + Sync> + 'static> {
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) limit: u32,
    /// Only those before that one: the id that the list before ended with.
    #[arg(long, value_name = "ID")]
    pub(super) before: Option<Id>,
}

/// The id to go on from, where a list came to its limit.
pub(super) fn next(limit: u32, rows: usize, last: Option<String>) -> Option<String> {
    last.filter(|_| u64::from(limit) <= rows as u64)
}

/// A page as JSON: `{name: rows, nextCursor}`.
pub(super) fn to_json(name: &str, rows: &[Value], next: Option<&str>) -> Value {
    json!({ name: rows, "nextCursor": next })
}

/// A page for people.
pub(super) fn to_text(rows: &impl ToString, next: Option<&str>) -> String {
    let more = next.map(|id| format!("more: --before {id}\n")).unwrap_or_default();
    rows.to_string() + &more
}
