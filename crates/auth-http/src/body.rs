//! JSON bodies and queries, read field by field.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use url::form_urlencoded;

use crate::field_names::FieldNames;
use crate::fields::{FromFields, Text};
use crate::problem::{FieldError, Problem};

/// The fields of a JSON object: read as what an operation [declares](crate::fields).
///
/// - Fields that nobody reads are ignored, so `role` or `emailVerified` in a body do nothing (ASVS 15.3.3).
/// - A name that stands twice is refused: two readers of such a body need not see the same value.
/// - A text with a NUL is refused here, before a store can disagree about it; invalid UTF-8 and lone surrogates are no
///   JSON to begin with (RFC 8259 §8.1). Nesting is bounded at 128 (serde_json).
pub(crate) struct Fields {
    fields: BTreeMap<String, Value>,
    errors: Vec<FieldError>,
    names: FieldNames,
}

/// A field was wrong; what it was is noted with the other errors of its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noted;

/// Not reached: where a field was wrong, [`Fields::read`] names all that were.
impl From<Noted> for Problem {
    fn from(Noted: Noted) -> Self {
        Self::invalid("A field is not valid.")
    }
}

impl Fields {
    /// Reads a body. An empty one counts as `{}`.
    ///
    /// # Errors
    /// 400 when it isn't one JSON object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Problem> {
        let body = if body.is_empty() { b"{}" } else { body };
        // The parser's own words may quote the body, and with it a password.
        let Object(fields) =
            serde_json::from_slice(body).map_err(|_| Problem::invalid("The body is not a JSON object."))?;
        Ok(Self { fields, errors: Vec::new(), names: FieldNames::default() })
    }

    /// The same, as a profile calls some of them.
    pub(crate) fn called(self, names: FieldNames) -> Self {
        if names.is_empty() {
            return self;
        }
        let ours = self.fields.into_iter().filter_map(|(name, value)| Some((names.ours(name)?, value)));
        Self { fields: ours.collect(), names, ..self }
    }

    /// Reads a query, whose fields are all texts. One without a value counts as absent.
    ///
    /// # Errors
    /// 400 when a name stands twice, or it isn't UTF-8.
    pub(crate) fn of_query(query: &str) -> Result<Self, Problem> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            if value.contains(char::REPLACEMENT_CHARACTER) || fields.contains_key(&*name) {
                return Err(Problem::invalid("The query can't be read in one way only."));
            }
            fields.insert(name.into_owned(), Value::String(value.into_owned()));
        }
        Ok(Self { fields, errors: Vec::new(), names: FieldNames::default() })
    }

    /// All that `T` declares.
    ///
    /// # Errors
    /// 400 with everything that is wrong, named at once.
    pub(crate) fn read<T: FromFields>(mut self) -> Result<T, Problem> {
        let read = T::read(&mut self);
        if self.errors.is_empty() { Ok(read?) } else { Err(Problem::invalid_fields(self.errors)) }
    }

    /// A text that must be there, made into a value.
    pub(crate) fn required<K: Text>(&mut self, name: &'static str) -> Result<K::Value, Noted> {
        match self.take(name)? {
            Some(text) => self.parse_text::<K>(name, text),
            None => Err(self.note(name, "REQUIRED", "is required")),
        }
    }

    /// A text that may be there; `null` counts as absent.
    pub(crate) fn optional<K: Text>(&mut self, name: &'static str) -> Result<Option<K::Value>, Noted> {
        self.take(name)?.map(|text| self.parse_text::<K>(name, text)).transpose()
    }

    /// A text to change: absent leaves it, `null` clears it.
    pub(crate) fn change<K: Text>(&mut self, name: &'static str) -> Result<Option<Option<K::Value>>, Noted> {
        if self.fields.contains_key(name) { self.optional::<K>(name).map(Some) } else { Ok(None) }
    }

    /// Whether the field is there and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    fn take(&mut self, name: &'static str) -> Result<Option<String>, Noted> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.note(name, "WRONG_TYPE", "must be a string")),
        }
    }

    fn parse_text<K: Text>(&mut self, name: &'static str, text: String) -> Result<K::Value, Noted> {
        if text.contains('\0') {
            return Err(self.note(name, "INVALID", "must not contain a NUL"));
        }
        K::parse(text).map_err(|(code, message)| self.note(name, code, message))
    }

    fn note(
        &mut self,
        name: &'static str,
        code: &'static str,
        message: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Noted {
        self.errors.push(FieldError::new(self.names.theirs(name), code, message));
        Noted
    }
}

/// Shows names only: among the values are passwords.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

/// A JSON object without names that stand twice.
struct Object(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    if fields.insert(name, value).is_some() {
                        return Err(de::Error::custom("a name stands twice"));
                    }
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::Wrong;

    struct Short;

    impl Text for Short {
        type Value = String;

        fn parse(text: String) -> Result<String, Wrong> {
            if text.len() < 8 { Ok(text) } else { Err(("INVALID", "is too long".into())) }
        }

        fn schema() -> Value {
            json!({ "type": "string", "maxLength": 7 })
        }
    }

    // IN2: what some parser or store might read otherwise is refused by all alike.
    #[test]
    fn in2_only_one_reading_is_accepted() {
        for body in [
            &b"[]"[..],
            b"7",
            b"{",
            b"{}{}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            br#"{"a":"\ud800"}"#,
            br#"{"unread":"\udc00\ud800"}"#,
            br#"{"a":"x","a":"y"}"#,
            br#"{"a":"x","\u0061":"y"}"#,
            br#"{'a':1}"#,
        ] {
            assert!(Fields::parse(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        let mut fields = Fields::parse(br#"{"a":"x\u0000y"}"#).unwrap();
        assert!(fields.required::<Short>("a").is_err());
    }

    // IN3: nesting ends somewhere.
    #[test]
    fn in3_depth_is_bounded() {
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(Fields::parse(deep(100).as_bytes()).is_ok());
        assert!(Fields::parse(deep(30_000).as_bytes()).is_err());
    }

    // EN6: every wrong field is named, at once, in the order they were read.
    #[test]
    fn en6_all_errors_at_once() {
        let mut fields = Fields::parse(br#"{"a":["x"],"b":{"$ne":null},"c":7,"d":"much too long","e":null}"#).unwrap();
        for name in ["a", "b", "c", "d", "e", "f"] {
            assert!(fields.required::<Short>(name).is_err());
        }
        let noted: Vec<_> = fields.errors.iter().map(|error| (&*error.field, error.code)).collect();
        let wrong = "WRONG_TYPE";
        assert_eq!(
            noted,
            [("a", wrong), ("b", wrong), ("c", wrong), ("d", "INVALID"), ("e", "REQUIRED"), ("f", "REQUIRED")]
        );
    }

    #[test]
    fn absent_null_and_given_differ_in_a_change() {
        let mut fields = Fields::parse(br#"{"a":"x","b":null}"#).unwrap();
        assert_eq!(fields.change::<Short>("a").unwrap(), Some(Some("x".into())));
        assert_eq!(fields.change::<Short>("b").unwrap(), Some(None));
        assert_eq!(fields.change::<Short>("c").unwrap(), None);
    }
}
