//! A store of one's own, on [redb], an embedded key-value database: see the README.
//!
//! - `table`, `record`, `kept`: the tables, the rows in them and the values in those;
//! - `transaction`: looking at rows and changing them;
//! - `commit`: the statements that changes are made of; `auth_store` puts them together;
//! - `read`, `outbox`, `idempotency`, `housekeeping`: the other ports.

mod commit;
mod housekeeping;
mod idempotency;
mod kept;
mod outbox;
mod read;
mod record;
mod table;
mod transaction;

use std::path::Path;
use std::sync::Arc;

use auth_core::domain::Role;
use auth_core::port::StoreError;
use redb::{Database, ReadTransaction, ReadableDatabase};

use record::Holders;
use transaction::{Failed, Snapshot, Tx};

const NAME: &str = "redb";

/// Users, sessions, tokens, mail, keys and audit entries in a redb database.
///
/// - Cheap to clone; clones share the database.
/// - One process at a time: redb refuses to open a file that is open already. So this store is for an application that
///   runs once.
#[derive(Debug, Clone)]
pub struct RedbStore {
    database: Arc<Database>,
}

impl RedbStore {
    /// Opens the file, which is made when it isn't there.
    ///
    /// # Errors
    /// When it can't be opened, or is open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::new(Database::create(path).map_err(Failed::from)?)
    }

    /// In a database that the application has opened, beside tables of its own.
    ///
    /// # Errors
    /// When our tables can't be made.
    pub fn new(database: Database) -> Result<Self, StoreError> {
        let store = Self { database: Arc::new(database) };
        make_tables(&store.database)?;
        Ok(store)
    }

    /// Looks at the database as it is now. Writers don't wait for that, nor do we for them.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.blocking(|database| work(&database.begin_read()?)).await??)
    }

    /// Does `work` in a transaction: all of it happens or nothing.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.blocking(|database| in_transaction(database, |tx| work(tx))).await??)
    }

    /// redb waits for the disk, and for whoever writes before us: not on a thread that others are served on.
    ///
    /// It also runs to its end when the caller is dropped. Where a driver is asynchronous,
    /// [`detached`](auth_store::commit::detached) sees to that.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.database.clone();
        match tokio::task::spawn_blocking(move || work(&database)).await {
            Ok(outcome) => Ok(outcome),
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            // The runtime is shutting down.
            Err(ended) => Err(StoreError::Unavailable { store: NAME, source: ended.into() }),
        }
    }
}

fn in_transaction<T, E: From<Failed>>(database: &Database, work: impl FnOnce(&mut Tx) -> Result<T, E>) -> Result<T, E> {
    let mut tx = Tx(database.begin_write().map_err(Failed::from)?);
    let outcome = work(&mut tx)?;
    tx.0.commit().map_err(Failed::from)?;
    Ok(outcome)
}

fn make_tables(database: &Database) -> Result<(), Failed> {
    in_transaction(database, |tx| {
        // A reader finds no table that nobody has opened for writing.
        for table in [table::ROWS, table::INDEXES].concat() {
            tx.0.open_table(table)?;
        }
        // A role that has a row here must always have an active holder, once it had one.
        if tx.find::<Holders>(Role::ADMIN.as_bytes())?.is_none() {
            tx.put(Role::ADMIN.as_bytes(), &Holders { number: 0 })?;
        }
        Ok(())
    })
}

/// How many rows, of as many as fit into memory.
fn limit(rows: u32) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}
