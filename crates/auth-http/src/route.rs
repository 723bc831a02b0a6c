//! What is answered where.

use std::time::Duration;

use http::Method;

/// One entry of the route table: framework adapters fold the table into their own routers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method. `HEAD` goes wherever `GET` goes.
    pub method: Method,
    /// The whole path. A segment in braces, `{id}`, stands for any one segment.
    pub path: String,
    /// What is done there.
    pub operation: Operation,
    /// The most bytes that a body may have.
    pub max_body: usize,
    /// Whose it is: the place of its profile among [`AuthHttp::profiles`](crate::AuthHttp::profiles). Those at the root
    /// are the first one's.
    pub profile: usize,
}

impl Route {
    /// Bytes that a body may have, where nothing else is said: 64 KiB.
    pub const MAX_BODY: usize = 64 * 1024;
    /// How long a body may take to arrive; then an adapter answers with
    /// [`Problem::request_timeout`](crate::Problem::request_timeout). A client slower than that holds a connection open
    /// for its own sake (ASVS 15.2.2).
    pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

    pub(crate) fn new(method: Method, path: String, operation: Operation) -> Self {
        Self { method, path, operation, max_body: Self::MAX_BODY, profile: 0 }
    }

    /// Whether `path` is this route's, as it was sent: routers differ in what they decode and skip.
    pub fn takes(&self, path: &str) -> bool {
        self.parameters(path).is_some()
    }

    /// The segments of `path` that stand where this route's has braces; `None` when `path` isn't this route's. Compared
    /// segment by segment as sent: `//`, a trailing slash and dots match nothing.
    pub(crate) fn parameters(&self, path: &str) -> Option<Parameters> {
        let mut parameters = Parameters::default();
        let (mut pattern, mut actual) = (self.path.split('/'), path.split('/'));
        loop {
            match (pattern.next(), actual.next()) {
                (None, None) => return Some(parameters),
                (Some(segment), Some(value)) if segment == value => {}
                (Some(segment), Some(value)) if !value.is_empty() => {
                    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
                    parameters.0.push((name.to_owned(), value.to_owned()));
                }
                _ => return None,
            }
        }
    }
}

/// What a path has where its route's has braces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The segment where the route has `{name}`; an empty text where it has no such thing.
    pub(crate) fn named(&self, name: &str) -> &str {
        self.0.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

/// Everything that can be done over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Makes an account.
    Register,
    /// Starts a session with address and password.
    SignIn,
    /// Makes an account, and names the record that the mailed code belongs to. For guests.
    SignUp,
    /// Starts a session: address and password, and where a second step is asked for, both again with its code. For guests.
    SignInAtOnce,
    /// Mails a verification code, and names its record; for an address, or for whoever is signed in.
    ResendVerification,
    /// Mails a code that switches the second factor by mail on; switches it on with that code.
    SwitchEmailFactorOn,
    /// The same, off.
    SwitchEmailFactorOff,
    /// Mails a code that moves the account to another address; moves it with that code.
    MoveByCode,
    /// Mails a code that stands in for the current password; replaces the password with that code.
    ChangePasswordByCode,
    /// Mails a code that resets a password; resets it with that code. For guests.
    ResetByCode,
    /// Exchanges a refresh token, which may be the bearer, for new tokens.
    RefreshByBearer,
    /// Takes the second step of a sign-in.
    CompleteSignIn,
    /// Mails another code for the second step.
    ResendSecondStep,
    /// Exchanges a refresh token for new tokens.
    Refresh,
    /// Ends the caller's session.
    SignOut,
    /// Ends every session of the caller.
    SignOutEverywhere,
    /// Mails a verification code and link.
    RequestVerification,
    /// Proves an address with the mailed code or link.
    ConfirmVerification,
    /// Mails a reset code and link.
    RequestReset,
    /// Sets a password with the mailed code or link.
    ConfirmReset,
    /// Replaces the caller's password.
    ChangePassword,
    /// Shows the caller and their session.
    ShowProfile,
    /// Changes what the caller tells of themselves.
    EditProfile,
    /// Lists the caller's sessions.
    ListSessions,
    /// Ends one of the caller's sessions.
    EndSession,
    /// Ends a session that its user was told of by mail.
    ReportSession,
    /// Shows which second factors are on.
    ShowFactors,
    /// Mails a code that switches the second factor by mail on.
    RequestEmailFactor,
    /// Switches it on.
    ConfirmEmailFactor,
    /// Switches it off.
    DropEmailFactor,
    /// Makes a secret for an authenticator app.
    EnrolTotp,
    /// Switches the second factor by authenticator app on.
    ConfirmTotp,
    /// Switches it off.
    DropTotp,
    /// Makes new recovery codes.
    RenewRecoveryCodes,
    /// Hands out the session's CSRF token.
    ShowCsrfToken,
    /// Mails a code that proves again who the caller is.
    RequestReauthentication,
    /// Proves again who the caller is.
    Reauthenticate,
    /// Deletes the caller's account.
    DeleteAccount,
    /// Shows all that is stored about the caller.
    ExportAccount,
    /// Mails a code and a link to the address that the caller's account is to move to.
    RequestEmailChange,
    /// Moves the account with the mailed code or link.
    ConfirmEmailChange,
    /// Moves it back.
    UndoEmailChange,
    /// Lists users.
    ListUsers,
    /// Shows a user.
    ShowUser,
    /// Keeps a user out.
    SuspendUser,
    /// Lets a suspended user in again.
    ReactivateUser,
    /// Gives a user a role.
    GrantRole,
    /// Takes a role from a user.
    RevokeRole,
    /// Ends every session of a user.
    EndUserSessions,
    /// Lists entries of the audit log.
    ListAuditEvents,
    /// Shows the button behind the link in a verification mail.
    ShowVerifyPage,
    /// Takes that page's form.
    SubmitVerifyPage,
    /// Shows the form behind the link in a reset mail.
    ShowResetPage,
    /// Takes that page's form.
    SubmitResetPage,
    /// Shows the button behind the link in a mail to the address that an account is to move to.
    ShowConfirmEmailPage,
    /// Takes that page's form.
    SubmitConfirmEmailPage,
    /// Shows the button behind the link that moves an account back.
    ShowUndoEmailPage,
    /// Takes that page's form.
    SubmitUndoEmailPage,
    /// Shows the button behind the link that ends a session.
    ShowReportPage,
    /// Takes that page's form.
    SubmitReportPage,
    /// Publishes the keys that verify access tokens (RFC 7517).
    Jwks,
    /// Describes all operations, for programs (OpenAPI 3.1).
    OpenApi,
    /// Describes them for people.
    OpenApiPage,
    /// Says that the process is alive.
    Health,
    /// Says whether the store answers.
    Readiness,
}

impl Operation {
    /// Under which method and path, below the prefix, each operation of a profile is found unless the profile says
    /// otherwise.
    pub(crate) const CANONICAL: &'static [(Self, Method, &'static str)] = &[
        (Self::Register, Method::POST, "/register"),
        (Self::SignIn, Method::POST, "/login"),
        (Self::CompleteSignIn, Method::POST, "/login/2fa"),
        (Self::ResendSecondStep, Method::POST, "/login/2fa/resend"),
        (Self::Refresh, Method::POST, "/refresh"),
        (Self::SignOut, Method::POST, "/logout"),
        (Self::SignOutEverywhere, Method::POST, "/logout/all"),
        (Self::RequestVerification, Method::POST, "/verify/request"),
        (Self::ConfirmVerification, Method::POST, "/verify/confirm"),
        (Self::RequestReset, Method::POST, "/password/reset/request"),
        (Self::ConfirmReset, Method::POST, "/password/reset/confirm"),
        (Self::ChangePassword, Method::POST, "/password/change"),
        (Self::ShowProfile, Method::GET, "/me"),
        (Self::EditProfile, Method::PATCH, "/me"),
        (Self::ListSessions, Method::GET, "/sessions"),
        (Self::EndSession, Method::DELETE, "/sessions/{id}"),
        (Self::ReportSession, Method::POST, "/sessions/report"),
        (Self::ShowFactors, Method::GET, "/mfa"),
        (Self::RequestEmailFactor, Method::POST, "/mfa/email/enable"),
        (Self::ConfirmEmailFactor, Method::POST, "/mfa/email/confirm"),
        (Self::DropEmailFactor, Method::DELETE, "/mfa/email"),
        (Self::EnrolTotp, Method::POST, "/mfa/totp/enrol"),
        (Self::ConfirmTotp, Method::POST, "/mfa/totp/confirm"),
        (Self::DropTotp, Method::DELETE, "/mfa/totp"),
        (Self::RenewRecoveryCodes, Method::POST, "/mfa/recovery-codes"),
        (Self::ShowCsrfToken, Method::GET, "/csrf"),
        (Self::RequestReauthentication, Method::POST, "/reauthenticate/request"),
        (Self::Reauthenticate, Method::POST, "/reauthenticate"),
        (Self::DeleteAccount, Method::DELETE, "/me"),
        (Self::ExportAccount, Method::GET, "/me/export"),
        (Self::RequestEmailChange, Method::POST, "/email/change/request"),
        (Self::ConfirmEmailChange, Method::POST, "/email/change/confirm"),
        (Self::UndoEmailChange, Method::POST, "/email/change/undo"),
        (Self::ListUsers, Method::GET, "/admin/users"),
        (Self::ShowUser, Method::GET, "/admin/users/{id}"),
        (Self::SuspendUser, Method::POST, "/admin/users/{id}/suspend"),
        (Self::ReactivateUser, Method::POST, "/admin/users/{id}/reactivate"),
        (Self::GrantRole, Method::PUT, "/admin/users/{id}/roles/{role}"),
        (Self::RevokeRole, Method::DELETE, "/admin/users/{id}/roles/{role}"),
        (Self::EndUserSessions, Method::DELETE, "/admin/users/{id}/sessions"),
        (Self::ListAuditEvents, Method::GET, "/admin/audit"),
    ];

    /// The same, for a profile to begin with.
    pub(crate) fn canonical() -> Vec<(Self, Method, String)> {
        let names = Self::CANONICAL.iter();
        names.map(|(operation, method, path)| (*operation, method.clone(), (*path).to_owned())).collect()
    }

    /// The operations at the server's root, outside every prefix.
    pub(crate) const ROOT: &'static [(Self, &'static str)] = &[
        (Self::Jwks, "/.well-known/jwks.json"),
        (Self::OpenApi, "/openapi.json"),
        (Self::OpenApiPage, "/openapi"),
        (Self::Health, "/healthz"),
        (Self::Readiness, "/readyz"),
    ];

    /// The pages for the links in mail, at the server's root too, where no frontend has its own.
    pub(crate) const PAGES: &'static [(Self, Method, &'static str)] = &[
        (Self::ShowVerifyPage, Method::GET, "/verify-email"),
        (Self::SubmitVerifyPage, Method::POST, "/verify-email"),
        (Self::ShowResetPage, Method::GET, "/reset-password"),
        (Self::SubmitResetPage, Method::POST, "/reset-password"),
        (Self::ShowConfirmEmailPage, Method::GET, "/confirm-email"),
        (Self::SubmitConfirmEmailPage, Method::POST, "/confirm-email"),
        (Self::ShowUndoEmailPage, Method::GET, "/undo-email"),
        (Self::SubmitUndoEmailPage, Method::POST, "/undo-email"),
        (Self::ShowReportPage, Method::GET, "/report-session"),
        (Self::SubmitReportPage, Method::POST, "/report-session"),
    ];

    /// Who may ask for it.
    pub const fn access(self) -> Access {
        match self {
            Self::SignOutEverywhere
            | Self::ChangePassword
            | Self::ShowProfile
            | Self::EditProfile
            | Self::ListSessions
            | Self::EndSession
            | Self::ChangePasswordByCode
            | Self::ShowFactors
            | Self::ShowCsrfToken
            | Self::RequestReauthentication
            | Self::Reauthenticate => Access::SignedIn,
            Self::SignUp | Self::SignInAtOnce | Self::ResetByCode => Access::Guest,
            Self::SwitchEmailFactorOn
            | Self::SwitchEmailFactorOff
            | Self::MoveByCode
            | Self::DeleteAccount
            | Self::ExportAccount
            | Self::RequestEmailChange
            | Self::RequestEmailFactor
            | Self::ConfirmEmailFactor
            | Self::DropEmailFactor
            | Self::EnrolTotp
            | Self::ConfirmTotp
            | Self::DropTotp
            | Self::RenewRecoveryCodes => Access::Fresh,
            Self::ListUsers
            | Self::ShowUser
            | Self::SuspendUser
            | Self::ReactivateUser
            | Self::GrantRole
            | Self::RevokeRole
            | Self::EndUserSessions
            | Self::ListAuditEvents => Access::Admin,
            Self::Register
            | Self::SignIn
            | Self::ResendVerification
            | Self::RefreshByBearer
            | Self::CompleteSignIn
            | Self::ResendSecondStep
            | Self::Refresh
            | Self::SignOut
            | Self::ReportSession
            | Self::RequestVerification
            | Self::ConfirmVerification
            | Self::RequestReset
            | Self::ConfirmReset
            | Self::ConfirmEmailChange
            | Self::UndoEmailChange
            | Self::ShowVerifyPage
            | Self::SubmitVerifyPage
            | Self::ShowResetPage
            | Self::SubmitResetPage
            | Self::ShowConfirmEmailPage
            | Self::SubmitConfirmEmailPage
            | Self::ShowUndoEmailPage
            | Self::SubmitUndoEmailPage
            | Self::ShowReportPage
            | Self::SubmitReportPage
            | Self::Jwks
            | Self::OpenApi
            | Self::OpenApiPage
            | Self::Health
            | Self::Readiness => Access::Anybody,
        }
    }

    /// Whether it is for probes and key fetchers, which no throttle may turn away.
    pub(crate) const fn is_probe(self) -> bool {
        matches!(self, Self::Jwks | Self::Health | Self::Readiness)
    }

    /// Whether it is at the server's root, outside every prefix.
    pub(crate) fn is_at_root(self) -> bool {
        self.is_page() || Self::ROOT.iter().any(|(operation, _)| *operation == self)
    }

    /// Whether it answers with a page, and takes a page's form.
    pub(crate) fn is_page(self) -> bool {
        Self::PAGES.iter().any(|(page, ..)| *page == self)
    }
}

/// Who may ask for an operation: checked before its endpoint sees the request (ASVS 8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Access {
    /// Everybody.
    Anybody,
    /// Whoever has no live session: a dead credential counts as none.
    Guest,
    /// Whoever has a live session.
    SignedIn,
    /// Whoever proved within the last 10 minutes who they are, by signing in or `POST /reauthenticate` (ASVS 7.5.1).
    Fresh,
    /// Whoever holds the role `admin`.
    Admin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_as_they_are_sent() {
        let route = Route::new(Method::DELETE, "/v1/auth/sessions/{id}".into(), Operation::EndSession);
        assert_eq!(route.parameters("/v1/auth/sessions/7").unwrap().named("id"), "7");
        for path in [
            "/v1/auth/sessions",
            "/v1/auth/sessions/",
            "/v1/auth/sessions/7/",
            "/v1/auth//sessions/7",
            "/V1/auth/sessions/7",
        ] {
            assert_eq!(route.parameters(path), None, "{path}");
            assert!(!route.takes(path), "{path}");
        }
        let route = Route::new(Method::GET, "/v1/auth/me".into(), Operation::ShowProfile);
        assert_eq!(route.parameters("/v1/auth/me").unwrap().named("id"), "");
        let route = Route::new(Method::PUT, "/users/{id}/roles/{role}".into(), Operation::ShowProfile);
        let parameters = route.parameters("/users/7/roles/editor").unwrap();
        assert_eq!((parameters.named("id"), parameters.named("role")), ("7", "editor"));
        assert_eq!(route.parameters("/users/7/roles/"), None);
    }
}
