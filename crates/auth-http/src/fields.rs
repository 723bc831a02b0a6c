//! What operations read of a request, declared once: the reader and the OpenAPI document both come from the declaration,
//! so that neither can say what the other doesn't.

use serde_json::{Map, Value, json};

use crate::body::{Fields, Noted};

/// Declares what an operation reads: a type, how it is read, and how it is described.
///
/// Each field is given its kind, whether it must be there, and its name on the wire. The doc comments are what the document
/// says of it.
///
/// ```ignore
/// fields! {
///     /// What an account is made of.
///     struct Register {
///         /// Where mail goes.
///         email: Required<field::Email> = "email",
///         /// What to call the user.
///         name: Optional<field::Name> = "name",
///     }
/// }
/// ```
///
/// A type with alternatives is an `enum`; the first whose fields are there at all is read, or one that has no fields. A `struct` may take one in, as
/// its last member: `..proof: Proof`.
macro_rules! fields {
    (
        $(#[doc = $about:literal])*
        $visibility:vis struct $Name:ident {
            $($(#[doc = $doc:literal])* $field:ident: $Presence:ty = $wire:literal,)*
            $(..$part:ident: $Part:ty,)?
        }
    ) => {
        $(#[doc = $about])*
        $visibility struct $Name {
            $($(#[doc = $doc])* pub(super) $field: <$Presence as $crate::fields::Presence>::Value,)*
            $(pub(super) $part: $Part,)?
        }

        impl $crate::fields::FromFields for $Name {
            fn read(fields: &mut $crate::body::Fields) -> Result<Self, $crate::body::Noted> {
                // All are read before any is judged, so that every error is named.
                $(let $part = <$Part as $crate::fields::FromFields>::read(fields);)?
                $(let $field = <$Presence as $crate::fields::Presence>::read(fields, $wire);)*
                Ok(Self { $($field: $field?,)* $($part: $part?,)? })
            }

            fn describe(shape: &mut $crate::fields::Shape) {
                $(<$Part as $crate::fields::FromFields>::describe(shape);)?
                $(<$Presence as $crate::fields::Presence>::describe(shape, $wire, &[$($doc),*]);)*
                shape.about(stringify!($Name), &[$($about),*]);
            }
        }
    };
    (
        $(#[doc = $about:literal])*
        $visibility:vis enum $Name:ident {
            $(
                $(#[doc = $case:literal])*
                $Variant:ident { $($(#[doc = $doc:literal])* $field:ident: $Presence:ty = $wire:literal,)* },
            )*
        }
    ) => {
        $(#[doc = $about])*
        $visibility enum $Name {
            $(
                $(#[doc = $case])*
                $Variant { $($(#[doc = $doc])* $field: <$Presence as $crate::fields::Presence>::Value,)* },
            )*
        }

        impl $crate::fields::FromFields for $Name {
            fn read(fields: &mut $crate::body::Fields) -> Result<Self, $crate::body::Noted> {
                type Read = fn(&mut $crate::body::Fields) -> Result<$Name, $crate::body::Noted>;
                let variants: &[(&[&str], Read)] = &[$((&[$($wire),*], |fields| {
                    let _ = &fields;
                    $(let $field = <$Presence as $crate::fields::Presence>::read(fields, $wire);)*
                    Ok(Self::$Variant { $($field: $field?),* })
                })),*];
                let given = variants.iter().position(|(names, _)| names.iter().any(|name| fields.has(name)));
                let without_fields = || variants.iter().position(|(names, _)| names.is_empty());
                variants[given.or_else(without_fields).unwrap_or_default()].1(fields)
            }

            fn describe(shape: &mut $crate::fields::Shape) {
                $(shape.alternative(|shape| {
                    let _ = &shape;
                    $(<$Presence as $crate::fields::Presence>::describe(shape, $wire, &[$($doc),*]);)*
                });)*
                shape.about(stringify!($Name), &[$($about),*]);
            }
        }
    };
}
pub(crate) use fields;

/// What an operation reads of a request: made by [`fields!`].
pub(crate) trait FromFields: Sized {
    /// Reads it. What is wrong is noted with `fields`.
    fn read(fields: &mut Fields) -> Result<Self, Noted>;

    /// Adds what it reads to `shape`.
    fn describe(shape: &mut Shape);
}

/// A kind of text that requests carry: how it is read, and what the document says of it.
pub(crate) trait Text {
    /// What it is made into.
    type Value;

    /// Makes the value of `text`.
    fn parse(text: String) -> Result<Self::Value, Wrong>;

    /// Its JSON Schema, laxer than [`parse`](Self::parse) where a schema can't say it all.
    fn schema() -> Value;
}

/// Why a text won't do: a code for programs and a sentence for people.
pub(crate) type Wrong = (&'static str, String);

/// Whether a field must be there.
pub(crate) trait Presence {
    /// What reading it comes to.
    type Value;

    /// Reads the field `name`.
    fn read(fields: &mut Fields, name: &'static str) -> Result<Self::Value, Noted>;

    /// Adds the field to `shape`, with the lines of its doc comment.
    fn describe(shape: &mut Shape, name: &'static str, doc: &[&str]);
}

/// Must be there.
pub(crate) struct Required<K>(std::marker::PhantomData<K>);

/// May be there; `null` counts as absent.
pub(crate) struct Optional<K>(std::marker::PhantomData<K>);

/// Absent leaves what there is, `null` clears it.
pub(crate) struct Change<K>(std::marker::PhantomData<K>);

impl<K: Text> Presence for Required<K> {
    type Value = K::Value;

    fn read(fields: &mut Fields, name: &'static str) -> Result<Self::Value, Noted> {
        fields.required::<K>(name)
    }

    fn describe(shape: &mut Shape, name: &'static str, doc: &[&str]) {
        shape.property(name, K::schema(), doc);
        shape.required.push(name);
    }
}

impl<K: Text> Presence for Optional<K> {
    type Value = Option<K::Value>;

    fn read(fields: &mut Fields, name: &'static str) -> Result<Self::Value, Noted> {
        fields.optional::<K>(name)
    }

    fn describe(shape: &mut Shape, name: &'static str, doc: &[&str]) {
        shape.property(name, nullable(K::schema()), doc);
    }
}

impl<K: Text> Presence for Change<K> {
    type Value = Option<Option<K::Value>>;

    fn read(fields: &mut Fields, name: &'static str) -> Result<Self::Value, Noted> {
        fields.change::<K>(name)
    }

    fn describe(shape: &mut Shape, name: &'static str, doc: &[&str]) {
        shape.property(name, nullable(K::schema()), doc);
    }
}

fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"].take(), "null"]);
    schema
}

/// What a declaration reads, on its way to becoming a JSON Schema.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    description: String,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    /// Sets of fields of which one must be there.
    alternatives: Vec<Vec<&'static str>>,
}

impl Shape {
    /// The shape of `T`.
    pub(crate) fn of<T: FromFields>() -> Self {
        let mut shape = Self::default();
        T::describe(&mut shape);
        shape
    }

    /// What it is called, and the lines of its doc comment. Whoever says so last is right: the whole, not its part.
    pub(crate) fn about(&mut self, name: &'static str, doc: &[&str]) {
        (self.name, self.description) = (name, sentence(doc));
    }

    /// Adds what `describe` describes as one of several alternatives.
    pub(crate) fn alternative(&mut self, describe: impl FnOnce(&mut Self)) {
        let mut alternative = Self::default();
        describe(&mut alternative);
        self.properties.extend(alternative.properties);
        self.alternatives.push(alternative.required);
    }

    fn property(&mut self, name: &str, mut schema: Value, doc: &[&str]) {
        if !doc.is_empty() {
            schema["description"] = sentence(doc).into();
        }
        self.properties.insert(name.to_owned(), schema);
    }

    /// The fields as parameters of a query.
    pub(crate) fn parameters(self) -> Vec<Value> {
        let Self { properties, required, .. } = self;
        let parameter = |(name, mut schema): (String, Value)| {
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            // There is no `null` in a query.
            if let Some(kind) = schema["type"].get(0) {
                schema["type"] = kind.clone();
            }
            let is_required = required.contains(&name.as_str());
            json!({
                "name": name,
                "in": "query",
                "required": is_required,
                // Without a value it counts as absent.
                "allowEmptyValue": !is_required,
                "description": description,
                "schema": schema,
            })
        };
        properties.into_iter().map(parameter).collect()
    }

    /// Whether an empty body won't do.
    pub(crate) fn is_required(&self) -> bool {
        let is_one_needed = !self.alternatives.is_empty() && self.alternatives.iter().all(|names| !names.is_empty());
        !self.required.is_empty() || is_one_needed
    }

    /// The JSON Schema. Further fields are allowed, as the reader ignores them.
    pub(crate) fn schema(self) -> Value {
        let mut schema = json!({ "type": "object", "description": self.description, "properties": self.properties });
        if !self.required.is_empty() {
            schema["required"] = self.required.into();
        }
        if !self.alternatives.is_empty() {
            let required = |names| json!({ "required": names });
            schema["anyOf"] = self.alternatives.into_iter().map(required).collect();
        }
        schema
    }
}

/// The lines of a doc comment as running text.
fn sentence(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
