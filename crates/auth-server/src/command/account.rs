//! Accounts, as the command line names them.

use std::str::FromStr;

use auth_core::Auth;
use auth_core::domain::{Context, Email, Role, User, UserId};
use auth_core::flow::{Actor, AdminError, users};

/// A user, by address or by id.
#[derive(Debug, Clone)]
pub(crate) enum Account {
    Email(Email),
    Id(UserId),
}

impl FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => Email::parse(text).map(Self::Email).map_err(|_| "neither an address nor a user's id".into()),
        }
    }
}

impl Account {
    /// Whose it is.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] where there is no such user.
    pub(super) async fn user(&self, auth: &Auth, context: &Context) -> Result<User, AdminError> {
        match self {
            Self::Email(email) => users::find(auth, Actor::Operator, email, context).await,
            Self::Id(id) => users::show(auth, Actor::Operator, *id, context).await,
        }
    }
}

/// Reads an address.
pub(super) fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|error| error.to_string())
}

/// Reads a role's name.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::parse(text)
        .ok_or_else(|| "a role is 1 to 64 lower-case letters, digits, - and _, starting with a letter".into())
}
