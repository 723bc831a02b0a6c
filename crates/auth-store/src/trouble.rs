//! What an error of the database means for us.

/// What to make of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody else is at it: the same statements may go through in a moment.
    Contention,
    /// The connection is dead; another may work.
    Cut,
    /// The database can't serve for now.
    Away,
    /// Everything else: asking again won't help.
    Failure,
}

/// What the database said, without the rows that it said it about: PostgreSQL's details hold addresses and digests, and
/// this goes into logs.
#[derive(Debug, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct Said {
    /// The database's own, or whatever the driver makes of it.
    pub code: String,
    /// A sentence.
    pub message: String,
}
