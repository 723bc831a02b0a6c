//! Queries whose conditions depend on what is asked for.

use auth_core::domain::Mac;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Statement, dialect};

/// A query put together from parts. Values never become text: each gets a placeholder, numbered as they come.
pub(super) struct Parts {
    text: String,
    values: Vec<Value>,
}

/// What a query may be asked with.
pub(super) enum Value {
    Id(Uuid),
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Parts {
    pub(super) fn of(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds `text`.
    pub(super) fn then(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Adds `text` and a placeholder for `value`.
    pub(super) fn with(mut self, text: &'static str, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self.text.push_str(text);
        self.text.push_str(&dialect::placeholder(self.values.len()));
        self
    }

    /// Adds `text` and a placeholder for `value`, where there is one.
    pub(super) fn with_any(self, text: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(text, value),
            None => self,
        }
    }

    pub(super) fn statement(self) -> Statement {
        // Safe: all of it stands in this source.
        self.values.into_iter().fold(sqlx::query(AssertSqlSafe(self.text)), |query, value| match value {
            Value::Id(id) => query.bind(id),
            Value::Number(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&Mac> for Value {
    fn from(mac: &Mac) -> Self {
        Self::Bytes(mac.to_bytes().to_vec())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
