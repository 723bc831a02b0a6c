//! What is expected of each operation: a new route without a row here fails the suite.

use auth_http::{Operation, Route};
use serde_json::{Map, Value};

use super::{Call, World};

/// What is expected of an operation.
pub(super) struct Row {
    /// Whether it wants an access token.
    pub(super) is_guarded: bool,
    /// Bodies that it takes, field by field, each with a value that is well-formed.
    pub(super) bodies: &'static [&'static [(&'static str, &'static str)]],
}

/// The row of an operation.
pub(super) fn row(operation: Operation) -> Row {
    const EMAIL: (&str, &str) = ("email", "somebody@example.com");
    const PASSWORD: (&str, &str) = ("password", "correct horse battery staple");
    const TOKEN: (&str, &str) = ("token", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    const CODE: (&str, &str) = ("code", "000000");
    const REFRESH: (&str, &str) = ("refreshToken", "AAAA");
    const LOCALE: (&str, &str) = ("locale", "en");
    const NAME: (&str, &str) = ("name", "Ann");

    let open = |bodies| Row { is_guarded: false, bodies };
    let guarded = |bodies| Row { is_guarded: true, bodies };
    match operation {
        Operation::Register => open(&[&[EMAIL, PASSWORD, NAME, LOCALE]]),
        Operation::SignIn => open(&[&[EMAIL, PASSWORD, ("deviceToken", "AAAA")]]),
        Operation::Refresh | Operation::SignOut => open(&[&[REFRESH]]),
        Operation::RequestVerification | Operation::RequestReset => open(&[&[EMAIL]]),
        Operation::ConfirmVerification => open(&[&[TOKEN], &[EMAIL, CODE]]),
        Operation::ConfirmReset => open(&[&[TOKEN, PASSWORD], &[EMAIL, CODE, PASSWORD]]),
        Operation::ChangePassword => {
            guarded(&[&[("currentPassword", "old enough to be changed"), ("newPassword", "new enough to be kept")]])
        }
        Operation::EditProfile => {
            guarded(&[&[NAME, LOCALE, ("imageUrl", "https://example.com/"), ("phoneNumber", "+4930123456")]])
        }
        Operation::SignOutEverywhere | Operation::ShowProfile | Operation::ListSessions | Operation::EndSession => {
            guarded(&[])
        }
        other => panic!("{other:?} has no row: say what is expected of it"),
    }
}

impl Row {
    /// The first body with all its fields.
    pub(super) fn body(&self) -> Option<Value> {
        self.bodies.first().map(|fields| object(fields))
    }
}

/// Fields as a JSON object.
pub(super) fn object(fields: &[(&str, &str)]) -> Value {
    fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect::<Map<_, _>>().into()
}

/// A call of a route, with the row's body.
pub(super) fn call(world: &World, route: &Route) -> Call {
    let call = bare_call(world, route);
    match row(route.operation).body() {
        Some(body) => call.json(&body),
        None => call,
    }
}

/// A call of a route, without a body.
pub(super) fn bare_call(world: &World, route: &Route) -> Call {
    let path = route.path.replace("{id}", "01890a5d-ac96-774b-bcce-b302099a8057");
    world.at(route.method.clone(), &path)
}
