//! The application's own fields of a user.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The application's own fields of a user: a JSON object that Portcullis keeps and never looks into.
///
/// ```
/// # use auth_core::domain::Attributes;
/// let attributes = Attributes::default().with("plan", &"pro")?;
/// assert_eq!(attributes.get::<String>("plan")?, Some("pro".into()));
/// # Ok::<(), auth_core::domain::InvalidAttribute>(())
/// ```
///
/// Clients can neither see nor set them, unless the application's own handlers let them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// Bytes that all of a user's fields may take, as JSON: every authenticated request reads them.
    pub const MAX: usize = 16 * 1024;

    /// The field's value; `None` where there is none.
    ///
    /// # Errors
    /// [`InvalidAttribute`] when it is of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, InvalidAttribute> {
        self.0.get(name).map(T::deserialize).transpose().map_err(InvalidAttribute::Type)
    }

    /// These, with a field set.
    ///
    /// # Errors
    /// [`InvalidAttribute`] when the value can't be JSON, contains a NUL, or is too much.
    pub fn with(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<Self, InvalidAttribute> {
        self.0.insert(name.to_owned(), serde_json::to_value(value).map_err(InvalidAttribute::Type)?);
        self.checked()
    }

    /// These, without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// All fields, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// For a store to keep: always the same text for the same fields.
    pub fn to_text(&self) -> String {
        Value::Object(self.0.clone().into_iter().collect()).to_string()
    }

    /// From a JSON object.
    ///
    /// # Errors
    /// [`InvalidAttribute`] when it isn't one, contains a NUL, or is too much.
    pub fn from_text(text: &str) -> Result<Self, InvalidAttribute> {
        Self(serde_json::from_str(text).map_err(InvalidAttribute::Type)?).checked()
    }

    /// From what a store kept, which was checked when it was written: every authenticated request comes by here.
    ///
    /// # Errors
    /// [`InvalidAttribute`] when it isn't a JSON object.
    pub fn from_stored(text: &str) -> Result<Self, InvalidAttribute> {
        match text {
            "{}" => Ok(Self::default()),
            text => Ok(Self(serde_json::from_str(text).map_err(InvalidAttribute::Type)?)),
        }
    }

    fn checked(self) -> Result<Self, InvalidAttribute> {
        let text = self.to_text();
        // PostgreSQL takes no NUL in a text; JSON writes one as an escape.
        if text.contains("\\u0000") {
            return Err(InvalidAttribute::Nul);
        }
        if text.len() > Self::MAX { Err(InvalidAttribute::TooLarge) } else { Ok(self) }
    }
}

/// A field can't be kept, or read as what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAttribute {
    /// It is no JSON, or of another type.
    #[error("an attribute is of another type")]
    Type(#[source] serde_json::Error),
    /// It contains a NUL.
    #[error("an attribute contains a NUL")]
    Nul,
    /// A user's fields are too much.
    #[error("the attributes of a user take over 16 KiB")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_kept_and_bounded() {
        let some = Attributes::default().with("seats", &3).unwrap().with("plan", "pro").unwrap();
        assert_eq!(some.to_text(), r#"{"plan":"pro","seats":3}"#);
        assert_eq!(Attributes::from_text(&some.to_text()).unwrap(), some);
        assert_eq!(some.get::<u32>("seats").unwrap(), Some(3));
        assert!(matches!(some.get::<u32>("plan"), Err(InvalidAttribute::Type(_))));
        assert_eq!(some.get::<u32>("none").unwrap(), None);
        assert!(matches!(some.clone().with("x", "a\0b"), Err(InvalidAttribute::Nul)));
        assert!(matches!(some.with("x", &"a".repeat(Attributes::MAX)), Err(InvalidAttribute::TooLarge)));
        assert!(Attributes::from_text("[]").is_err());
    }
}
