//! What a query says: pages and filters.

use crate::problem::{FieldError, Problem};

/// The parameters of a query, each of which may stand there once.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows a path's question mark.
    pub(crate) fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The parameter, made into a value; `None` where it is absent or empty.
    ///
    /// # Errors
    /// 400 where it stands there twice, or is no such value.
    pub(crate) fn optional<T>(
        &self,
        name: &'static str,
        what: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let invalid = |message: &'static str| Problem::invalid_fields(vec![FieldError::new(name, "INVALID", message)]);
        let mut values = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (None | Some(""), None) => Ok(None),
            (Some(value), None) if !value.contains('\0') => parse(value).map(Some).ok_or_else(|| invalid(what)),
            _ => Err(invalid(what)),
        }
    }

    /// How many entries a page is to have: 1 to 100, and 50 where nothing is said.
    ///
    /// # Errors
    /// 400 where it is another number, or none.
    pub(crate) fn limit(&self) -> Result<u32, Problem> {
        let parse = |text: &str| text.parse().ok().filter(|limit| (1..=MAX).contains(limit));
        Ok(self.optional("limit", "must be a number from 1 to 100", parse)?.unwrap_or(DEFAULT))
    }
}

const DEFAULT: u32 = 50;
const MAX: u32 = 100;
