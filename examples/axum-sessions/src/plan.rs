//! A field of the application's own in every user: what they pay for.

use portcullis::domain::{InvalidAttribute, User};
use serde::{Deserialize, Serialize};

/// The field's name.
pub const NAME: &str = "plan";

/// What a user pays for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// Nothing.
    #[default]
    Free,
    /// As many notes as they like.
    Pro,
}

impl Plan {
    /// The plan of a user, which is read along with their session.
    ///
    /// # Errors
    /// [`InvalidAttribute`] when something else is kept there.
    pub fn of(user: &User) -> Result<Self, InvalidAttribute> {
        Ok(user.attributes.get(NAME)?.unwrap_or_default())
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
        }
    }

    /// How many notes one may have.
    pub const fn notes(self) -> i64 {
        match self {
            Self::Free => 3,
            Self::Pro => i64::MAX,
        }
    }
}
