//! What an error of the database means for us.

use std::fmt;

use auth_store::trouble::{Said, Trouble};
use diesel::result::{ConnectionError, DatabaseErrorInformation, DatabaseErrorKind, Error as QueryError};
use diesel_async::pooled_connection::PoolError as ManagerError;
use diesel_async::pooled_connection::deadpool::PoolError;

/// Asking the database came to nothing.
#[derive(Debug)]
pub(crate) enum Error {
    /// What it said, or what became of the connection.
    Query(QueryError),
    /// There is no connection to be had.
    Connect(ConnectionError),
    /// The pool was closed.
    Closed,
    /// It took too long.
    TimedOut,
    /// Something else of the pool, or of the machine we run on.
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Judges it, leaving what the database itself said to its dialect.
    pub(crate) fn judge(&self, dialect: fn(&DatabaseErrorKind, &str) -> Trouble) -> Trouble {
        match self {
            Self::Query(error) => judge_query(error, dialect),
            // The server said why; anything else means that it wasn't reached.
            Self::Connect(ConnectionError::CouldntSetupConfiguration(error)) => match judge_query(error, dialect) {
                Trouble::Failure => Trouble::Failure,
                Trouble::Contention | Trouble::Cut | Trouble::Away => Trouble::Away,
            },
            Self::Connect(ConnectionError::BadConnection(_)) | Self::Closed | Self::TimedOut => Trouble::Away,
            Self::Connect(_) | Self::Other(_) => Trouble::Failure,
        }
    }

    /// Whether the database said something that isn't known: diesel hands out neither number nor SQLSTATE, and a server may
    /// be set to another language.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Query(QueryError::DatabaseError(DatabaseErrorKind::Unknown, _)))
    }

    /// What of it a [`StoreError`](auth_core::port::StoreError) may carry; `message` leaves out the values in what the
    /// database said.
    pub(crate) fn source(
        self,
        message: fn(&dyn DatabaseErrorInformation) -> String,
    ) -> Box<dyn std::error::Error + Send + Sync> {
        match self {
            Self::Query(QueryError::DatabaseError(kind, said))
            | Self::Connect(ConnectionError::CouldntSetupConfiguration(QueryError::DatabaseError(kind, said))) => {
                Said { code: format!("{kind:?}"), message: message(&*said) }.into()
            }
            Self::Query(error) => error.into(),
            Self::Connect(error) => error.into(),
            Self::Other(error) => error,
            Self::Closed | Self::TimedOut => self.into(),
        }
    }
}

fn judge_query(error: &QueryError, dialect: fn(&DatabaseErrorKind, &str) -> Trouble) -> Trouble {
    match error {
        QueryError::DatabaseError(kind, said) => match kind {
            DatabaseErrorKind::SerializationFailure => Trouble::Contention,
            // What a row is to refer to was deleted since the statement saw it. The next attempt doesn't see it.
            DatabaseErrorKind::ForeignKeyViolation => Trouble::Contention,
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection => Trouble::Cut,
            DatabaseErrorKind::ReadOnlyTransaction => Trouble::Away,
            kind => dialect(kind, said.message()),
        },
        QueryError::BrokenTransactionManager => Trouble::Cut,
        _ => Trouble::Failure,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Closed => f.write_str("the store was closed"),
            Self::TimedOut => f.write_str("it took too long"),
            Self::Other(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Self {
        Self::Connect(error)
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(ManagerError::ConnectionError(error)) => Self::Connect(error),
            PoolError::Backend(ManagerError::QueryError(error)) => Self::Query(error),
            PoolError::Timeout(_) => Self::TimedOut,
            PoolError::Closed => Self::Closed,
            other => Self::Other(other.into()),
        }
    }
}
