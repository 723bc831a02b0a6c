//! Reading rows: one place that knows how values are kept.

use auth_core::domain::{Attributes, Email, Factors, Mac, Timestamp};
use auth_core::port::StoreError;
use auth_store::read::{self, Unreadable};
use sqlx::{Decode, Row as _, Type};
use uuid::Uuid;

use super::{Db, Row, dialect, store_error};

/// The columns of a row, taken one after the other in the order of the `select`.
pub(super) struct Fields<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Fields<'r> {
    pub(super) fn of(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn take<T: Decode<'r, Db> + Type<Db>>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get(self.next).map_err(store_error)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column, a text that compares byte by byte: to MySQL it isn't a text, so its type isn't asked.
    fn exact<T: Decode<'r, Db>>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get_unchecked(self.next).map_err(store_error)?;
        self.next += 1;
        Ok(value)
    }

    pub(super) fn id<T: From<Uuid>>(&mut self) -> Result<T, StoreError> {
        self.take::<Uuid>().map(T::from)
    }

    pub(super) fn maybe_id<T: From<Uuid>>(&mut self) -> Result<Option<T>, StoreError> {
        Ok(self.take::<Option<Uuid>>()?.map(T::from))
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.take().map(Timestamp::from_micros)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp::from_micros))
    }

    pub(super) fn number(&mut self, what: &'static str) -> Result<u32, StoreError> {
        read::number(self.take()?, what).map_err(failed)
    }

    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        read::count(self.take()?).map_err(failed)
    }

    /// A word or text that `parse` understands.
    pub(super) fn parsed<T>(
        &mut self,
        what: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(self.take()?).ok_or_else(|| unreadable(what))
    }

    pub(super) fn maybe_parsed<T>(
        &mut self,
        what: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.take::<Option<&str>>()?.map(|text| parse(text).ok_or_else(|| unreadable(what))).transpose()
    }

    pub(super) fn factors(&mut self) -> Result<Factors, StoreError> {
        read::factors(self.take()?).map_err(failed)
    }

    /// The application's own fields.
    pub(super) fn attributes(&mut self) -> Result<Attributes, StoreError> {
        read::attributes(self.take()?).map_err(failed)
    }

    /// An address, from its owner's spelling and its canonical form.
    pub(super) fn email(&mut self) -> Result<Email, StoreError> {
        Ok(Email::from_stored(self.take::<&str>()?, self.exact::<&str>()?))
    }

    pub(super) fn maybe_email(&mut self) -> Result<Option<Email>, StoreError> {
        let (typed, canonical) = (self.take::<Option<&str>>()?, self.exact::<Option<&str>>()?);
        Ok(typed.zip(canonical).map(|(typed, canonical)| Email::from_stored(typed, canonical)))
    }

    pub(super) fn bytes<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], StoreError> {
        read::bytes(self.take()?, what).map_err(failed)
    }

    pub(super) fn maybe_bytes<const N: usize>(&mut self, what: &'static str) -> Result<Option<[u8; N]>, StoreError> {
        self.take::<Option<&[u8]>>()?.map(|bytes| read::bytes(bytes, what)).transpose().map_err(failed)
    }

    pub(super) fn mac(&mut self) -> Result<Mac, StoreError> {
        read::mac(self.take()?).map_err(failed)
    }

    pub(super) fn maybe_mac(&mut self) -> Result<Option<Mac>, StoreError> {
        self.take::<Option<&[u8]>>()?.map(read::mac).transpose().map_err(failed)
    }
}

pub(super) fn unreadable(what: &'static str) -> StoreError {
    failed(Unreadable(what))
}

pub(super) fn failed(unreadable: Unreadable) -> StoreError {
    unreadable.in_store(dialect::DIALECT.as_str())
}
