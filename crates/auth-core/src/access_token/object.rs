//! JSON objects, read strictly: each member once.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Something with members that are read from a JSON object.
pub(super) trait Members<'a>: Default {
    /// Takes the value of `name` if that is a member of interest, and says whether it was.
    fn take<A: MapAccess<'a>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error>;
}

/// Reads one JSON object, and nothing else, from `json`.
///
/// A member that comes twice is an error, of interest or not: parsers differ on which one counts, and so could we and
/// whoever looked at the token before us.
pub(super) fn read<'a, M: Members<'a>>(json: &'a [u8]) -> Result<M, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let members = (&mut deserializer).deserialize_map(Object(PhantomData))?;
    deserializer.end()?;
    Ok(members)
}

/// Takes the value of a member that may come once.
pub(super) fn once<'a, T: Deserialize<'a>, A: MapAccess<'a>>(
    member: &mut Option<T>,
    object: &mut A,
) -> Result<(), A::Error> {
    if member.is_some() {
        return Err(A::Error::custom("duplicate member"));
    }
    *member = Some(object.next_value()?);
    Ok(())
}

/// A string, borrowed from the JSON unless it has escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Members of no interest that an object may have: comparing names each with each must stay cheap.
const MAX_OTHERS: usize = 32;

struct Object<M>(PhantomData<M>);

impl<'a, M: Members<'a>> Visitor<'a> for Object<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose members are unique")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<M, A::Error> {
        let mut members = M::default();
        let mut others: Vec<Text<'a>> = Vec::new();
        while let Some(name) = object.next_key::<Text<'a>>()? {
            if members.take(&name.0, &mut object)? {
                continue;
            }
            if others.iter().any(|other| other.0 == name.0) || others.len() == MAX_OTHERS {
                return Err(A::Error::custom("duplicate member, or too many"));
            }
            object.next_value::<IgnoredAny>()?;
            others.push(name);
        }
        Ok(members)
    }
}
