//! Transactions: looking at rows, and changing them.

use auth_core::port::StoreError;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, WriteTransaction};

use crate::table::{Record, Table};

type Bytes = &'static [u8];

/// A key and what is there.
type Pair = (Vec<u8>, Vec<u8>);

/// The transaction that writes. There is one at a time, so whatever it looks at stays as it is until it ends: a conditional
/// write may look, decide and put, and still has one winner.
///
/// Dropped without a commit, it hasn't happened.
pub(crate) struct Tx(pub(crate) WriteTransaction);

impl Tx {
    /// Puts a row where there is none under its key, nor under one of its indexes'. Ids are made from a clock and 80 random
    /// bits, secrets from 256: one that exists is a mistake, never a reason to replace a row.
    pub(crate) fn insert<R: Record>(&self, key: &[u8], row: &R) -> Result<u64, Failed> {
        if self.find::<R>(key)?.is_some() {
            return Err("two rows of one key".into());
        }
        self.enter(key, &row.entries())?;
        self.put(key, row)?;
        Ok(1)
    }

    /// Changes the row as `set` does, if there is one that is as `condition` wants it. How many rows were changed.
    pub(crate) fn update<R: Record>(
        &self,
        key: &[u8],
        condition: impl FnOnce(&R) -> bool,
        set: impl FnOnce(&mut R),
    ) -> Result<u64, Failed> {
        let Some(mut row) = self.find::<R>(key)?.filter(condition) else { return Ok(0) };
        let before = row.entries();
        set(&mut row);
        let after = row.entries();
        if !before.iter().map(|(_, entry)| entry).eq(after.iter().map(|(_, entry)| entry)) {
            self.leave(&before)?;
            self.enter(key, &after)?;
        }
        self.put(key, &row)?;
        Ok(1)
    }

    /// Deletes the row, if there is one that is as `condition` wants it.
    pub(crate) fn delete<R: Record>(&self, key: &[u8], condition: impl FnOnce(&R) -> bool) -> Result<u64, Failed> {
        let Some(row) = self.find::<R>(key)?.filter(condition) else { return Ok(0) };
        self.leave(&row.entries())?;
        self.0.open_table(R::TABLE)?.remove(key)?;
        Ok(1)
    }

    /// Deletes the rows of those keys.
    pub(crate) fn delete_all<R: Record>(&self, keys: &[Vec<u8>]) -> Result<u64, Failed> {
        keys.iter().try_fold(0, |deleted, key| Ok(deleted + self.delete::<R>(key, |_| true)?))
    }

    /// Puts a row, whether or not there is one. Whatever leads to it stays as it is.
    pub(crate) fn put<R: Record>(&self, key: &[u8], row: &R) -> Result<(), Failed> {
        self.0.open_table(R::TABLE)?.insert(key, &*row.encode())?;
        Ok(())
    }

    fn enter(&self, key: &[u8], entries: &[(Table, Vec<u8>)]) -> Result<(), Failed> {
        for (index, entry) in entries {
            if self.0.open_table(*index)?.insert(&**entry, key)?.is_some() {
                return Err("two rows of one unique value".into());
            }
        }
        Ok(())
    }

    fn leave(&self, entries: &[(Table, Vec<u8>)]) -> Result<(), Failed> {
        for (index, entry) in entries {
            self.0.open_table(*index)?.remove(&**entry)?;
        }
        Ok(())
    }
}

/// What one looks at: the database as it was when a reader began, or as the writer has changed it so far.
pub(crate) trait Snapshot {
    type Rows<'t>: ReadableTable<Bytes, Bytes>
    where
        Self: 't;

    fn open(&self, table: Table) -> Result<Self::Rows<'_>, Failed>;

    /// The row of that key.
    fn find<R: Record>(&self, key: &[u8]) -> Result<Option<R>, Failed> {
        let rows = self.open(R::TABLE)?;
        let row = rows.get(key)?;
        Ok(row.map(|row| R::decode(row.value())).transpose()?)
    }

    /// The key of the row that an index leads to.
    fn key_by(&self, index: Table, entry: &[u8]) -> Result<Option<Vec<u8>>, Failed> {
        Ok(self.open(index)?.get(entry)?.map(|key| key.value().to_vec()))
    }

    /// The row that an index leads to.
    fn find_by<R: Record>(&self, index: Table, entry: &[u8]) -> Result<Option<R>, Failed> {
        match self.key_by(index, entry)? {
            Some(key) => self.find(&key),
            None => Ok(None),
        }
    }

    /// The rows that an index leads to from all that begins with `prefix`.
    fn all_by<R: Record>(&self, index: Table, prefix: &[u8]) -> Result<Vec<R>, Failed> {
        let keys = self.with_prefix(index, prefix)?.into_iter().map(|(_, key)| key);
        keys.filter_map(|key| self.find(&key).transpose()).collect()
    }

    /// All rows with their keys, in order of key.
    ///
    /// The whole table goes into memory. What a request waits for has an index; what an administrator, the mail worker or
    /// housekeeping asks for has not, which is good for some ten thousand rows. Whoever has more adds an index.
    fn all<R: Record>(&self) -> Result<Vec<(Vec<u8>, R)>, Failed> {
        let rows = self.with_prefix(R::TABLE, &[])?;
        rows.into_iter().map(|(key, row)| Ok((key, R::decode(&row)?))).collect()
    }

    /// All keys that begin with `prefix`, with what is there, in order.
    fn with_prefix(&self, table: Table, prefix: &[u8]) -> Result<Vec<Pair>, Failed> {
        let mut found = Vec::new();
        for row in self.open(table)?.range::<&[u8]>(prefix..)? {
            let (key, value) = row?;
            if !key.value().starts_with(prefix) {
                break;
            }
            found.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(found)
    }
}

impl Snapshot for ReadTransaction {
    type Rows<'t> = ReadOnlyTable<Bytes, Bytes>;

    fn open(&self, table: Table) -> Result<Self::Rows<'_>, Failed> {
        Ok(self.open_table(table)?)
    }
}

impl Snapshot for Tx {
    type Rows<'t> = redb::Table<'t, Bytes, Bytes>;

    fn open(&self, table: Table) -> Result<Self::Rows<'_>, Failed> {
        Ok(self.0.open_table(table)?)
    }
}

/// Anything that went wrong: said by redb, by a row that can't be read, or by us.
pub(crate) struct Failed(Box<dyn std::error::Error + Send + Sync>);

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// None of it is for now only: where there is one writer, nobody is in the way.
impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        Self::Failed { store: crate::NAME, source: failed.0 }
    }
}
