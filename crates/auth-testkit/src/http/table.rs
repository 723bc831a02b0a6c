//! What is expected of each operation: a new route without a row here fails the suite.

use auth_http::{Operation, Route};
use serde_json::{Map, Value};

use super::{Call, World};

/// What is expected of an operation.
pub(super) struct Row {
    /// Who may ask for it.
    pub(super) who: Who,
    /// What such a one is answered with.
    pub(super) status: u16,
    /// Bodies that it takes, field by field, each with a value that is well-formed.
    pub(super) bodies: &'static [&'static [(&'static str, &'static str)]],
    /// Whether it checks a password, a token or a code, and so tells right from wrong.
    pub(super) checks_a_credential: bool,
}

/// Who may ask for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// Everybody; what they are answered with depends on what they send.
    Anybody,
    /// Whoever isn't signed in; the same holds for them.
    Guest,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever signed in just now.
    Fresh,
    /// Administrators.
    Admin,
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
    const RECORD: (&str, &str) = ("tokenId", "01890a5d-ac96-774b-bcce-b302099a8057");

    use Operation as O;
    let open = |bodies| Row { who: Who::Anybody, status: 200, bodies, checks_a_credential: false };
    let guest = |bodies| Row { who: Who::Guest, status: 200, bodies, checks_a_credential: false };
    let guarded = |who, status, bodies| Row { who, status, bodies, checks_a_credential: false };
    let row = match operation {
        O::Register => open(&[&[EMAIL, PASSWORD, NAME, LOCALE]]),
        O::SignIn => open(&[&[EMAIL, PASSWORD, ("deviceToken", "AAAA")]]),
        O::CompleteSignIn => open(&[&[CODE, ("challenge", "AAAA"), ("method", "totp")]]),
        O::ResendSecondStep => open(&[&[("challenge", "AAAA")]]),
        O::ReportSession => open(&[&[TOKEN]]),
        O::Refresh | O::SignOut => open(&[&[REFRESH]]),
        O::RequestVerification | O::RequestReset => open(&[&[EMAIL]]),
        O::ConfirmVerification => open(&[&[TOKEN], &[EMAIL, CODE, RECORD]]),
        O::ConfirmReset => open(&[&[TOKEN, PASSWORD], &[EMAIL, CODE, RECORD, PASSWORD]]),
        O::ConfirmEmailChange => open(&[&[TOKEN], &[CODE]]),
        O::UndoEmailChange => open(&[&[TOKEN]]),
        O::ChangePassword => {
            const BODY: &[(&str, &str)] =
                &[("currentPassword", "old enough to be changed"), ("newPassword", "new enough to be kept")];
            guarded(Who::SignedIn, 200, &[BODY])
        }
        O::EditProfile => {
            const BODY: &[(&str, &str)] =
                &[NAME, LOCALE, ("imageUrl", "https://example.com/"), ("phoneNumber", "+4930123456")];
            guarded(Who::SignedIn, 200, &[BODY])
        }
        O::RequestReauthentication => guarded(Who::SignedIn, 202, &[]),
        O::RequestEmailFactor => guarded(Who::Fresh, 202, &[]),
        O::EnrolTotp => guarded(Who::Fresh, 200, &[]),
        // Fresh is not all that these ask for: a code, or a factor that is on.
        O::ConfirmEmailFactor | O::ConfirmTotp => guarded(Who::Fresh, 400, &[&[CODE]]),
        O::DropEmailFactor | O::DropTotp => guarded(Who::Fresh, 404, &[]),
        O::RenewRecoveryCodes => guarded(Who::Fresh, 403, &[]),
        O::ShowFactors | O::ShowProfile | O::ListSessions | O::ShowCsrfToken => guarded(Who::SignedIn, 200, &[]),
        O::SignOutEverywhere | O::EndSession => guarded(Who::SignedIn, 204, &[]),
        O::Reauthenticate => guarded(Who::SignedIn, 200, &[&[PASSWORD], &[CODE, ("method", "email")]]),
        O::ExportAccount => guarded(Who::Fresh, 200, &[]),
        O::DeleteAccount => guarded(Who::Fresh, 204, &[]),
        O::RequestEmailChange => guarded(Who::Fresh, 202, &[&[EMAIL]]),
        O::ListUsers | O::ShowUser | O::ListAuditEvents => guarded(Who::Admin, 200, &[]),
        O::SuspendUser | O::ReactivateUser | O::GrantRole | O::RevokeRole | O::EndUserSessions => {
            guarded(Who::Admin, 204, &[])
        }
        O::SignUp => guest(&[&[NAME, EMAIL, PASSWORD, LOCALE]]),
        O::SignInAtOnce => guest(&[&[EMAIL, PASSWORD, CODE, ("token", "AAAA"), ("deviceToken", "AAAA")]]),
        O::ResetByCode => guest(&[&[EMAIL, PASSWORD, CODE, RECORD]]),
        O::ResendVerification => open(&[&[EMAIL]]),
        O::RefreshByBearer => open(&[&[REFRESH]]),
        O::SwitchEmailFactorOn => guarded(Who::Fresh, 400, &[&[CODE, ("token", RECORD.1)]]),
        O::SwitchEmailFactorOff => guarded(Who::Fresh, 400, &[&[CODE, ("token", RECORD.1)]]),
        O::MoveByCode => guarded(Who::Fresh, 400, &[&[EMAIL, CODE, RECORD]]),
        O::ChangePasswordByCode => guarded(Who::SignedIn, 400, &[&[EMAIL, PASSWORD, CODE, RECORD]]),
        other => panic!("{other:?} has no row: say what is expected of it"),
    };
    let checks_a_credential = matches!(
        operation,
        O::SignIn
            | O::Refresh
            | O::ConfirmVerification
            | O::ConfirmReset
            | O::ConfirmEmailChange
            | O::UndoEmailChange
            | O::ChangePassword
            | O::Reauthenticate
            | O::CompleteSignIn
            | O::ReportSession
            | O::ConfirmEmailFactor
            | O::ConfirmTotp
            | O::SignInAtOnce
            | O::ResetByCode
            | O::RefreshByBearer
            | O::SwitchEmailFactorOn
            | O::MoveByCode
    );
    Row { checks_a_credential, ..row }
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
    call_about(world, route, "01890a5d-ac96-774b-bcce-b302099a8057")
}

/// The same, about what has that id.
pub(super) fn call_about(world: &World, route: &Route, id: &str) -> Call {
    let path = route.path.replace("{id}", id).replace("{role}", "editor");
    world.at(route.method.clone(), &path)
}
