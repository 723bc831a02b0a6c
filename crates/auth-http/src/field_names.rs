//! Fields that a profile calls otherwise than we do.

use std::borrow::Cow;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::request::JSON;

/// What a profile calls some fields, in bodies and replies alike: pairs of our name and its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldNames(&'static [(&'static str, &'static str)]);

impl FieldNames {
    /// These pairs of our name and the profile's own.
    pub const fn new(pairs: &'static [(&'static str, &'static str)]) -> Self {
        Self(pairs)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Our name for what the profile calls `name`. What we call so ourselves isn't a field of the profile's.
    pub(crate) fn ours(self, name: String) -> Option<String> {
        match self.0.iter().find(|(ours, theirs)| *theirs == name || *ours == name) {
            Some((ours, theirs)) if *theirs == name => Some((*ours).to_owned()),
            Some(_) => None,
            None => Some(name),
        }
    }

    /// The profile's name for what we call `name`.
    pub fn theirs(self, name: &'static str) -> &'static str {
        self.0.iter().find(|(ours, _)| *ours == name).map_or(name, |(_, theirs)| theirs)
    }

    /// A JSON reply with the profile's names.
    pub(crate) fn in_reply(self, response: Response<Bytes>) -> Response<Bytes> {
        if self.is_empty() || response.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != JSON) {
            return response;
        }
        response.map(|body| match serde_json::from_slice(&body) {
            Ok(value) => self.in_value(value).to_string().into(),
            Err(_) => body,
        })
    }

    /// The names in a JSON Schema, or a part of an OpenAPI document: properties, and which of them are required.
    pub(crate) fn in_schema(self, schema: Value) -> Value {
        if self.is_empty() {
            return schema;
        }
        match schema {
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| {
                    let value = match (&*name, value) {
                        ("properties", Value::Object(properties)) => {
                            let renamed = self.keys(properties).map(|(name, schema)| (name, self.in_schema(schema)));
                            Value::Object(renamed.collect())
                        }
                        ("required", Value::Array(names)) => names.into_iter().map(|name| self.in_text(name)).collect(),
                        (_, value) => self.in_schema(value),
                    };
                    (name, value)
                })
                .collect::<Map<_, _>>()
                .into(),
            Value::Array(items) => items.into_iter().map(|item| self.in_schema(item)).collect(),
            other => other,
        }
    }

    fn in_value(self, value: Value) -> Value {
        match value {
            // What the application keeps is its own.
            Value::Object(members) => {
                let renamed = self.keys(members).map(|(name, value)| match &*name {
                    "attributes" => (name, value),
                    _ => (name, self.in_value(value)),
                });
                Value::Object(renamed.collect())
            }
            Value::Array(items) => items.into_iter().map(|item| self.in_value(item)).collect(),
            other => other,
        }
    }

    fn keys(self, members: Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
        members.into_iter().map(move |(name, value)| (self.in_name(name.into()).into_owned(), value))
    }

    fn in_text(self, value: Value) -> Value {
        match value {
            Value::String(name) => self.in_name(name.into()).into(),
            other => other,
        }
    }

    fn in_name(self, name: Cow<'_, str>) -> Cow<'_, str> {
        match self.0.iter().find(|(ours, _)| *ours == name) {
            Some((_, theirs)) => Cow::Borrowed(theirs),
            None => name,
        }
    }
}
