//! Users.

use std::fmt;

use super::{Attributes, Email, Factors, PasswordHash, Timestamp, UserId};

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Names the user, for good.
    pub id: UserId,
    /// Where mail goes, and what one signs in with.
    pub email: Email,
    /// When the user proved to receive mail there; `None` until then.
    pub email_verified_at: Option<Timestamp>,
    /// What the user chose to tell of themselves.
    pub profile: Profile,
    /// Whether the user may sign in.
    pub status: Status,
    /// Credentials of an earlier epoch are dead.
    pub epoch: Epoch,
    /// Roles held, in order of name.
    pub roles: Vec<Role>,
    /// Counts the changes of roles.
    pub roles_version: u32,
    /// The second factors that are on.
    pub factors: Factors,
    /// The application's own fields.
    pub attributes: Attributes,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A user with what signing in compares.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub user: User,
    /// The password's hash; `None` for a user who has no password.
    pub password: Option<PasswordHash>,
}

/// What a user tells of themselves. Each text is checked where it enters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// What to call the user.
    pub name: Option<String>,
    /// An `https` address of a picture.
    pub image_url: Option<String>,
    /// In E.164 form.
    pub phone_number: Option<String>,
    /// A BCP 47 language tag.
    pub locale: Option<String>,
}

impl Profile {
    /// This profile after `edit`.
    #[must_use]
    pub fn after(self, edit: &ProfileEdit) -> Self {
        let field = |before, edit: &Option<Option<String>>| edit.clone().unwrap_or(before);
        Self {
            name: field(self.name, &edit.name),
            image_url: field(self.image_url, &edit.image_url),
            phone_number: field(self.phone_number, &edit.phone_number),
            locale: field(self.locale, &edit.locale),
        }
    }
}

/// What to change of a [`Profile`]. The outer `None` leaves a field as it is, the inner one clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileEdit {
    /// What to call the user.
    pub name: Option<Option<String>>,
    /// Where their picture is.
    pub image_url: Option<Option<String>>,
    /// Their telephone number.
    pub phone_number: Option<Option<String>>,
    /// Their language.
    pub locale: Option<Option<String>>,
}

impl ProfileEdit {
    /// The names of the fields that it touches, as clients know them.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        let touched = [
            ("name", &self.name),
            ("imageUrl", &self.image_url),
            ("phoneNumber", &self.phone_number),
            ("locale", &self.locale),
        ];
        touched.into_iter().filter(|(_, edit)| edit.is_some()).map(|(name, _)| name)
    }
}

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// May sign in.
    Active,
    /// May not; every credential is dead.
    Suspended,
}

impl Status {
    /// The word for stores and the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|status| status.as_str() == text)
    }
}

/// Counts the times that all of a user's credentials were revoked at once.
///
/// A session holds the epoch it was born in. When the user's has advanced (password change, reset, suspension, "log out
/// everywhere"), the session is dead, whether or not anybody got round to deleting its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch that a user is born in.
    pub const FIRST: Self = Self(0);

    /// From what a store kept.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// For a store to keep.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The one after.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A role: 1 to 64 lower-case ASCII letters, digits, `-` and `_`, starting with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(Box<str>);

impl Role {
    /// What every new user holds.
    pub const USER: &'static str = "user";
    /// May administer other users.
    pub const ADMIN: &'static str = "admin";

    /// The role that every new user holds.
    pub fn user() -> Self {
        Self(Self::USER.into())
    }

    /// The role whose holders administer other users.
    pub fn admin() -> Self {
        Self(Self::ADMIN.into())
    }

    /// Reads a role's name; `None` when it breaks the rules above.
    pub fn parse(text: &str) -> Option<Self> {
        Self::is_name(text).then(|| Self(text.into()))
    }

    /// Whether a role may be called that: for names that are known when a program is compiled.
    pub const fn is_name(text: &str) -> bool {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            if !(bytes[i].is_ascii_lowercase() || i > 0 && matches!(bytes[i], b'0'..=b'9' | b'-' | b'_')) {
                return false;
            }
            i += 1;
        }
        !bytes.is_empty() && bytes.len() <= 64
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
