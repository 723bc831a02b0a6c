//! Values that several endpoints read from a body.
#![expect(clippy::needless_pass_by_value, reason = "each has the shape of a parser, which a password's erases")]

use auth_core::domain::profile::{self, InvalidField};
use auth_core::domain::{Email, Password};

use crate::body::Wrong;

/// Takes a text as it is: a token, whose form is its flow's business.
#[expect(clippy::unnecessary_wraps, reason = "has the shape of a parser")]
pub(super) fn text(text: String) -> Result<String, Wrong> {
    Ok(text)
}

pub(super) fn email(text: String) -> Result<Email, Wrong> {
    Email::parse(&text).map_err(|_| ("INVALID", "must be an e-mail address".into()))
}

pub(super) fn password(text: String) -> Result<Password, Wrong> {
    Password::parse(text).map_err(|_| ("INVALID", "must have 1 to 1024 bytes".into()))
}

pub(super) fn name(text: String) -> Result<String, Wrong> {
    profile::name(&text).map_err(wrong)
}

pub(super) fn image_url(text: String) -> Result<String, Wrong> {
    profile::image_url(&text).map_err(wrong)
}

pub(super) fn phone_number(text: String) -> Result<String, Wrong> {
    profile::phone_number(&text).map_err(wrong)
}

pub(super) fn locale(text: String) -> Result<String, Wrong> {
    profile::locale(&text).map_err(wrong)
}

fn wrong(error: InvalidField) -> Wrong {
    ("INVALID", error.to_string())
}
