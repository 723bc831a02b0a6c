//! Reading rows: one place that knows how values are kept.

use auth_core::domain::{Attributes, Digest, Email, Factors, Mac, Role, Timestamp};
use auth_core::port::StoreError;
use auth_store::read::{self, Unreadable};

use super::dialect;

pub(super) fn number(value: i64, what: &'static str) -> Result<u32, StoreError> {
    read::number(value, what).map_err(failed)
}

pub(super) fn count(value: i64) -> Result<u64, StoreError> {
    read::count(value).map_err(failed)
}

pub(super) fn bytes<const N: usize>(value: &[u8], what: &'static str) -> Result<[u8; N], StoreError> {
    read::bytes(value, what).map_err(failed)
}

pub(super) fn maybe_bytes<const N: usize>(
    value: Option<&[u8]>,
    what: &'static str,
) -> Result<Option<[u8; N]>, StoreError> {
    value.map(|value| bytes(value, what)).transpose()
}

pub(super) fn digest(value: &[u8]) -> Result<Digest, StoreError> {
    bytes(value, "digest").map(Digest::from_bytes)
}

pub(super) fn mac(value: &[u8]) -> Result<Mac, StoreError> {
    read::mac(value).map_err(failed)
}

pub(super) fn attributes(value: &str) -> Result<Attributes, StoreError> {
    read::attributes(value).map_err(failed)
}

pub(super) fn factors(value: &str) -> Result<Factors, StoreError> {
    read::factors(value).map_err(failed)
}

pub(super) fn role(value: &str) -> Result<Role, StoreError> {
    read::role(value).map_err(failed)
}

/// An address, from its owner's spelling and its canonical form.
pub(super) fn maybe_email(typed: Option<String>, canonical: Option<String>) -> Option<Email> {
    typed.zip(canonical).map(|(typed, canonical)| Email::from_stored(typed, canonical))
}

pub(super) fn maybe_time(value: Option<i64>) -> Option<Timestamp> {
    value.map(Timestamp::from_micros)
}

/// A word or text that was understood.
pub(super) fn parsed<T>(value: Option<T>, what: &'static str) -> Result<T, StoreError> {
    value.ok_or_else(|| unreadable(what))
}

/// The same, where there may be none.
pub(super) fn maybe_parsed<T>(
    text: Option<&str>,
    what: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    text.map(|text| parsed(parse(text), what)).transpose()
}

pub(super) fn unreadable(what: &'static str) -> StoreError {
    failed(Unreadable(what))
}

pub(super) fn failed(unreadable: Unreadable) -> StoreError {
    unreadable.in_store(dialect::DIALECT.as_str())
}
