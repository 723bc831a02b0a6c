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
        json!({ "type": "string", "format": "email", "maxLength": 254 })
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
        json!({ "type": "string", "format": "password", "minLength": min, "maxLength": max })
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

fn wrong(error: InvalidField) -> Wrong {
    ("INVALID", error.to_string())
}
