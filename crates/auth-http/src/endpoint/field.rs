//! The kinds of text that operations read.

use auth_core::domain;
use auth_core::domain::profile::{self, InvalidField};
use auth_core::rules::password::PasswordRules;
use serde_json::{Value, json};

use crate::fields::{Text, Wrong};

/// An e-mail address.
pub(super) struct Email;

impl Text for Email {
    type Value = domain::Email;

    fn parse(text: String) -> Result<domain::Email, Wrong> {
        domain::Email::parse(&text).map_err(|_| ("INVALID", "must be an e-mail address".into()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "email", "maxLength": 254, "examples": ["ann@example.com"] })
    }
}

/// A password that somebody has, however weak.
pub(super) struct Password;

impl Text for Password {
    type Value = domain::Password;

    fn parse(text: String) -> Result<domain::Password, Wrong> {
        domain::Password::parse(text).map_err(|_| ("INVALID", "must have 1 to 1024 bytes".into()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "password", "minLength": 1, "maxLength": 1024 })
    }
}

/// A password to be set. Whether it is good enough is its flow's to judge; the schema names the bounds.
pub(super) struct NewPassword;

impl Text for NewPassword {
    type Value = domain::Password;

    fn parse(text: String) -> Result<domain::Password, Wrong> {
        Password::parse(text)
    }

    fn schema() -> Value {
        let (min, max) = (PasswordRules::MIN, PasswordRules::MAX);
        let example = "correct horse battery staple";
        json!({ "type": "string", "format": "password", "minLength": min, "maxLength": max, "examples": [example] })
    }
}

/// A secret out of a link in a mail. Taken as it is: one that can't be right is answered as one that is wrong.
pub(super) struct LinkToken;

impl Text for LinkToken {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        Ok(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{43}$" })
    }
}

/// A code out of a mail, taken as it is likewise.
pub(super) struct Code;

impl Text for Code {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        Ok(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[0-9]{6}$" })
    }
}

/// A code of a second factor, taken as it is likewise.
pub(super) struct FactorCode;

impl Text for FactorCode {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        Ok(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 6, "maxLength": 32, "examples": ["123456", "4x2p-9k7m-c3td-w8qz"] })
    }
}

/// How a second step is taken.
pub(super) struct SecondStep;

impl Text for SecondStep {
    type Value = domain::SecondStep;

    fn parse(text: String) -> Result<domain::SecondStep, Wrong> {
        domain::SecondStep::parse(&text).ok_or_else(|| ("INVALID", "must be email, totp or recovery".into()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "enum": ["totp", "email", "recovery"] })
    }
}

/// The id of the record that a code belongs to, taken as it is likewise.
pub(super) struct RecordId;

impl Text for RecordId {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        Ok(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "uuid" })
    }
}

/// A token of ours, taken as it is: its form is its flow's business.
pub(super) struct OpaqueToken;

impl Text for OpaqueToken {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        Ok(text)
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

/// What to call somebody.
pub(super) struct Name;

impl Text for Name {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        profile::name(&text).map_err(wrong)
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": 200, "examples": ["Ann"] })
    }
}

/// The address of a picture.
pub(super) struct ImageUrl;

impl Text for ImageUrl {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        profile::image_url(&text).map_err(wrong)
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "uri", "maxLength": 2048, "examples": ["https://example.com/ann.png"] })
    }
}

/// A telephone number.
pub(super) struct PhoneNumber;

impl Text for PhoneNumber {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        profile::phone_number(&text).map_err(wrong)
    }

    fn schema() -> Value {
        json!({
            "type": "string",
            "maxLength": 64,
            "pattern": r"^[ .()-]*\+[ .()-]*[1-9]([ .()-]*[0-9]){6,14}[ .()-]*$",
            "examples": ["+4930123456"],
        })
    }
}

/// A language tag.
pub(super) struct Locale;

impl Text for Locale {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        profile::locale(&text).map_err(wrong)
    }

    fn schema() -> Value {
        json!({
            "type": "string",
            "maxLength": 35,
            "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$",
            "examples": ["en", "pt-BR"],
        })
    }
}

/// The text that addresses are searched for.
pub(super) struct Search;

impl Text for Search {
    type Value = String;

    fn parse(text: String) -> Result<String, Wrong> {
        if text.len() > 254 { Err(("INVALID", "must have 254 bytes at most".into())) } else { Ok(text.to_lowercase()) }
    }

    fn schema() -> Value {
        json!({ "type": "string", "maxLength": 254 })
    }
}

/// How many entries a page may have.
pub(super) struct Limit;

impl Text for Limit {
    type Value = u32;

    fn parse(text: String) -> Result<u32, Wrong> {
        let number = text.parse().ok().filter(|number| (1..=100).contains(number));
        number.ok_or_else(|| ("INVALID", "must be a number from 1 to 100".into()))
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 })
    }
}

/// A user's id.
pub(super) struct UserId;

impl Text for UserId {
    type Value = domain::UserId;

    fn parse(text: String) -> Result<domain::UserId, Wrong> {
        text.parse().map_err(|_| ("INVALID", "must be an id".into()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "uuid" })
    }
}

/// The id of an entry of the audit log.
pub(super) struct EventId;

impl Text for EventId {
    type Value = domain::EventId;

    fn parse(text: String) -> Result<domain::EventId, Wrong> {
        text.parse().map_err(|_| ("INVALID", "must be an id".into()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "uuid" })
    }
}

/// What an entry of the audit log tells of.
pub(super) struct AuditKind;

impl Text for AuditKind {
    type Value = domain::AuditKind;

    fn parse(text: String) -> Result<domain::AuditKind, Wrong> {
        domain::AuditKind::parse(&text).ok_or_else(|| ("INVALID", "must be a kind of audit event".into()))
    }

    fn schema() -> Value {
        let kinds: Vec<&str> = domain::AuditKind::ALL.iter().map(|kind| kind.as_str()).collect();
        json!({ "type": "string", "enum": kinds })
    }
}

fn wrong(error: InvalidField) -> Wrong {
    ("INVALID", error.to_string())
}
