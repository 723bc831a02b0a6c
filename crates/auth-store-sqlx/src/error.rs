//! What an error of the database means for us.

use std::borrow::Cow;
use std::io;

use auth_store::trouble::{Said, Trouble};
use sqlx::error::DatabaseError;

/// Judges `error`, leaving what the database itself said to its dialect.
pub(crate) fn judge(error: &sqlx::Error, dialect: fn(&dyn DatabaseError) -> Trouble) -> Trouble {
    match error {
        sqlx::Error::Database(error) => dialect(error.as_ref()),
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => Trouble::Away,
        // A connection that a proxy takes and drops, as those before a dead server do, ends in the middle of a
        // message: `Protocol`.
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Trouble::Cut,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => Trouble::Away,
        _ => Trouble::Failure,
    }
}

/// What of `error` a [`StoreError`](auth_core::port::StoreError) may carry; `message` is the dialect's.
pub(crate) fn source(
    error: sqlx::Error,
    message: fn(&dyn DatabaseError) -> Cow<'_, str>,
) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            Said { code, message: message(&*error).into_owned() }.into()
        }
        other => other.into(),
    }
}
