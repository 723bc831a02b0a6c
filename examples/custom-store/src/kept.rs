//! Values as rows hold them: what each becomes in JSON, and how it is read again.
//!
//! Domain types can't be serialised by themselves, so that none ends up somewhere by accident. Each has a way into a store
//! (`as_str`, `as_micros`, `to_bytes`) and one back (`parse`, `from_micros`, `from_bytes`), and these are used here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use auth_core::domain::{
    Attributes, AuditKind, DeviceId, Digest, Email, Epoch, EventId, FactorId, Factors, KeyId, LeaseId, Mac, MailId,
    MailKind, MailState, Methods, PasswordHash, Purpose, Role, Sealed, SessionId, Status, Timestamp, TokenId, UserId,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// A value that rows hold.
pub(crate) trait Kept: Sized {
    fn to_json(&self) -> Value;

    /// `None` for what this version can't read.
    fn from_json(json: Value) -> Option<Self>;
}

/// Values that are JSON by themselves.
macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Kept for $type {
            fn to_json(&self) -> Value {
                serde_json::json!(self)
            }

            fn from_json(json: Value) -> Option<Self> {
                serde_json::from_value(json).ok()
            }
        }
    )*};
}

plain! { u32, u64, i64, String, [String; 2], IpAddr, BTreeMap<String, String> }

/// Values by way of others: there, and back.
macro_rules! kept {
    ($($type:ty as $form:ty: $to:expr, $from:expr;)*) => {$(
        impl Kept for $type {
            fn to_json(&self) -> Value {
                let to: fn(&Self) -> $form = $to;
                to(self).to_json()
            }

            fn from_json(json: Value) -> Option<Self> {
                let from: fn($form) -> Option<Self> = $from;
                from(<$form>::from_json(json)?)
            }
        }
    )*};
}

kept! {
    Timestamp as i64: |at| at.as_micros(), |micros| Some(Self::from_micros(micros));
    Epoch as u32: |epoch| epoch.number(), |number| Some(Self::from_number(number));

    Status as String: |status| status.as_str().to_owned(), |word| Self::parse(&word);
    Purpose as String: |purpose| purpose.as_str().to_owned(), |word| Self::parse(&word);
    MailState as String: |state| state.as_str().to_owned(), |word| Self::parse(&word);
    MailKind as String: |kind| kind.as_str().to_owned(), |word| Self::parse(&word);
    AuditKind as String: |kind| kind.as_str().to_owned(), |word| Self::parse(&word);
    Role as String: |role| role.as_str().to_owned(), |name| Self::parse(&name);
    Methods as String: Self::to_text, |text| Some(Self::from_text(&text));
    // Users from before there were second factors have none.
    Factors as Option<String>: |factors| Some(factors.to_text()), |text| Self::from_text(&text.unwrap_or_default());
    PasswordHash as String: |hash| hash.as_str().to_owned(), |text| Some(Self::from_stored(text));
    Attributes as String: Self::to_text, |text| Self::from_stored(&text).ok();
    // Both as they are: the canonical form of an address must not change with the rules for making one.
    Email as [String; 2]: |email| [email.as_str().to_owned(), email.canonical().to_owned()],
        |[typed, canonical]| Some(Self::from_stored(typed, canonical));

    Vec<u8> as String: |bytes| BASE64_STANDARD.encode(bytes), |text| BASE64_STANDARD.decode(text).ok();
    [u8; 16] as Vec<u8>: |bytes| bytes.to_vec(), |bytes| bytes.try_into().ok();
    [u8; 32] as Vec<u8>: |bytes| bytes.to_vec(), |bytes| bytes.try_into().ok();
    Digest as [u8; 32]: |digest| *digest.as_bytes(), |bytes| Some(Self::from_bytes(bytes));
    Mac as Vec<u8>: |mac| mac.to_bytes().to_vec(), |bytes| Self::from_bytes(&bytes);
    KeyId as Vec<u8>: |key| key.as_bytes().to_vec(), |bytes| Self::from_bytes(&bytes);
    Sealed as Vec<u8>: |sealed| sealed.as_bytes().to_vec(), |bytes| Some(Self::from_bytes(bytes));

    UserId as String: Self::to_string, |text| text.parse().ok();
    SessionId as String: Self::to_string, |text| text.parse().ok();
    DeviceId as String: Self::to_string, |text| text.parse().ok();
    TokenId as String: Self::to_string, |text| text.parse().ok();
    FactorId as String: Self::to_string, |text| text.parse().ok();
    MailId as String: Self::to_string, |text| text.parse().ok();
    EventId as String: Self::to_string, |text| text.parse().ok();
    LeaseId as String: Self::to_string, |text| text.parse().ok();
}

impl<T: Kept> Kept for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }

    fn from_json(json: Value) -> Option<Self> {
        // What is there must be readable: a value that isn't must not pass for none.
        if json.is_null() { Some(None) } else { T::from_json(json).map(Some) }
    }
}

impl<T: Kept> Kept for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(T::to_json).collect()
    }

    fn from_json(json: Value) -> Option<Self> {
        let Value::Array(values) = json else { return None };
        values.into_iter().map(T::from_json).collect()
    }
}
