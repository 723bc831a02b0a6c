//! What an error of the database means for us.

use sqlx::error::DatabaseError;
use std::io;

/// What to make of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Somebody else is at it: the same statements may go through in a moment.
    Contention,
    /// The connection is dead; another may work.
    Cut,
    /// The database can't serve for now.
    Away,
    /// Everything else: asking again won't help.
    Failure,
}

impl Trouble {
    /// Judges `error`, leaving what the database itself said to its dialect.
    pub(crate) fn of(error: &sqlx::Error, dialect: fn(&dyn DatabaseError) -> Self) -> Self {
        match error {
            sqlx::Error::Database(error) => dialect(error.as_ref()),
            sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => Self::Away,
            // A connection that a proxy takes and drops, as those before a dead server do, ends in the middle of a
            // message: `Protocol`.
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Self::Cut,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => Self::Away,
            _ => Self::Failure,
        }
    }
}

/// What the database said, without the rows that it said it about: PostgreSQL's details hold addresses and digests, and
/// this goes into logs.
#[derive(Debug, thiserror::Error)]
#[error("{message} (code {code})")]
struct Said {
    code: String,
    message: String,
}

/// What of `error` a [`StoreError`](auth_core::port::StoreError) may carry.
pub(crate) fn source(error: sqlx::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            Said { code, message: error.message().to_owned() }.into()
        }
        other => other.into(),
    }
}

/// A stored value that this version can't read: written by a later one, or damaged.
#[derive(Debug, thiserror::Error)]
#[error("the stored {0} can't be read")]
pub(crate) struct Unreadable(pub(crate) &'static str);
