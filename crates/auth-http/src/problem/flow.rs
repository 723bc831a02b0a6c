//! What each flow's error is on the wire: decided here, once.

use auth_core::Fault;
use auth_core::flow::account::AccountError;
use auth_core::flow::authenticate::AuthenticateError;
use auth_core::flow::change_password::ChangeError;
use auth_core::flow::factors::FactorError;
use auth_core::flow::reauthenticate::ReauthenticateError;
use auth_core::flow::refresh::RefreshError;
use auth_core::flow::register::RegisterError;
use auth_core::flow::report_session::ReportError;
use auth_core::flow::second_step::SecondStepError;
use auth_core::flow::sessions::EndError;
use auth_core::flow::sign_in::SignInError;
use auth_core::flow::throttle::Throttled;
use auth_core::flow::{AdminError, change_email, reset_password, verify_email};
use auth_core::port::{StoreError, Veto};
use auth_core::rules::password::WeakPassword;

use super::{FieldError, Problem, ProblemCode};

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault.retry_after() {
            Some(pause) => Self { retry_after: Some(pause), ..Self::unavailable(fault) },
            None => Self::internal(fault),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Fault::from(error).into()
    }
}

impl From<Throttled> for Problem {
    fn from(Throttled { limit, reset }: Throttled) -> Self {
        let detail = "Too many requests or attempts. Try again later.";
        let retry_after = Some(reset);
        Self { limit: Some(limit), retry_after, ..Self::new(ProblemCode::RateLimited, detail) }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::EmailTaken => Self::new(ProblemCode::Conflict, "The e-mail address has an account."),
            RegisterError::Weak(weak) => weak_password("password", weak),
            RegisterError::Vetoed(veto) => veto.into(),
            RegisterError::Throttled(throttled) => throttled.into(),
            RegisterError::Fault(fault) => fault.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Unauthorized => Self::unauthorized(),
            SignInError::EmailNotVerified => {
                Self::new(ProblemCode::EmailNotVerified, "Prove your e-mail address first, then sign in.")
            }
            SignInError::Vetoed(veto) => veto.into(),
            SignInError::Throttled(throttled) => throttled.into(),
            SignInError::Fault(fault) => fault.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Unauthorized => Self::unauthorized(),
            RefreshError::Throttled(throttled) => throttled.into(),
            RefreshError::Fault(fault) => fault.into(),
        }
    }
}

impl From<AuthenticateError> for Problem {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Unauthorized => Self::unauthorized(),
            AuthenticateError::Fault(fault) => fault.into(),
        }
    }
}

impl From<EndError> for Problem {
    fn from(error: EndError) -> Self {
        match error {
            EndError::NotFound => Self::not_found(),
            EndError::Fault(fault) => fault.into(),
        }
    }
}

impl From<verify_email::RequestError> for Problem {
    fn from(error: verify_email::RequestError) -> Self {
        match error {
            verify_email::RequestError::Throttled(throttled) => throttled.into(),
            verify_email::RequestError::Fault(fault) => fault.into(),
        }
    }
}

impl From<verify_email::ConfirmError> for Problem {
    fn from(error: verify_email::ConfirmError) -> Self {
        match error {
            verify_email::ConfirmError::Throttled(throttled) => throttled.into(),
            verify_email::ConfirmError::Invalid => Self::token_invalid(),
            verify_email::ConfirmError::Fault(fault) => fault.into(),
        }
    }
}

impl From<reset_password::ConfirmError> for Problem {
    fn from(error: reset_password::ConfirmError) -> Self {
        match error {
            reset_password::ConfirmError::Invalid => Self::token_invalid(),
            reset_password::ConfirmError::Throttled(throttled) => throttled.into(),
            reset_password::ConfirmError::Weak(weak) => weak_password("password", weak),
            reset_password::ConfirmError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unauthorized => Self::unauthorized(),
            ChangeError::WrongCode => Self::token_invalid(),
            ChangeError::Weak(weak) => weak_password("newPassword", weak),
            ChangeError::Throttled(throttled) => throttled.into(),
            ChangeError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ReauthenticateError> for Problem {
    fn from(error: ReauthenticateError) -> Self {
        match error {
            ReauthenticateError::Unauthorized => Self::unauthorized(),
            ReauthenticateError::Throttled(throttled) => throttled.into(),
            ReauthenticateError::Fault(fault) => fault.into(),
        }
    }
}

impl From<SecondStepError> for Problem {
    fn from(error: SecondStepError) -> Self {
        match error {
            SecondStepError::Unauthorized => Self::unauthorized(),
            SecondStepError::WrongCode => Self::code_invalid(),
            SecondStepError::Throttled(throttled) => throttled.into(),
            SecondStepError::Fault(fault) => fault.into(),
        }
    }
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Stale => Self::reauthentication_required(),
            FactorError::Forbidden => Self::forbidden(),
            FactorError::NotOn => Self::not_found(),
            FactorError::Invalid => Self::token_invalid(),
            FactorError::Throttled(throttled) => throttled.into(),
            FactorError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Invalid => Self::token_invalid(),
            ReportError::Throttled(throttled) => throttled.into(),
            ReportError::Fault(fault) => fault.into(),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Stale => Self::reauthentication_required(),
            AccountError::Unauthorized => Self::unauthorized(),
            AccountError::LastHolder => Self::last_admin(),
            AccountError::Fault(fault) => fault.into(),
        }
    }
}

impl From<change_email::RequestError> for Problem {
    fn from(error: change_email::RequestError) -> Self {
        match error {
            change_email::RequestError::Stale => Self::reauthentication_required(),
            change_email::RequestError::Vetoed(veto) => veto.into(),
            change_email::RequestError::Throttled(throttled) => throttled.into(),
            change_email::RequestError::Fault(fault) => fault.into(),
        }
    }
}

impl From<change_email::ConfirmError> for Problem {
    fn from(error: change_email::ConfirmError) -> Self {
        match error {
            change_email::ConfirmError::Invalid => Self::token_invalid(),
            change_email::ConfirmError::Throttled(throttled) => throttled.into(),
            change_email::ConfirmError::Fault(fault) => fault.into(),
        }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::NotFound => Self::not_found(),
            AdminError::Forbidden => Self::forbidden(),
            AdminError::LastHolder => Self::last_admin(),
            AdminError::Fault(fault) => fault.into(),
        }
    }
}

/// The host's own words: it knows that clients read them.
impl From<Veto> for Problem {
    fn from(veto: Veto) -> Self {
        Self::new(ProblemCode::Forbidden, veto.reason)
    }
}

fn weak_password(field: &'static str, weak: WeakPassword) -> Problem {
    let code = match weak {
        WeakPassword::TooShort => "TOO_SHORT",
        WeakPassword::TooLong => "TOO_LONG",
        WeakPassword::Guessable => "GUESSABLE",
        WeakPassword::Personal => "PERSONAL",
        WeakPassword::Breached => "BREACHED",
    };
    Problem::invalid_fields(vec![FieldError::new(field, code, weak.to_string())])
}
