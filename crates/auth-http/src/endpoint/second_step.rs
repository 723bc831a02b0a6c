//! `POST /login/2fa`, `POST /login/2fa/resend`.

use auth_core::flow::second_step;
use http::StatusCode;

use super::sign_in::end_before;
use super::{Outcome, field};
use crate::cookie;
use crate::fields::{Optional, Required, fields};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
use crate::reply::{self, Nothing};
use crate::request::Incoming;

fields! {
    /// What takes the second step.
    struct CompleteSignIn {
        /// The six digits of the authenticator app or of the mail, or a recovery code.
        code: Required<field::FactorCode> = "code",
        /// The challenge that the first step was answered with; a browser may have it in a cookie.
        challenge: Optional<field::OpaqueToken> = "challenge",
        /// What the code is of. Without it six digits are of the challenge's first method, and anything else is a recovery
        /// code.
        method: Optional<field::SecondStep> = "method",
    }
}

/// `{code, challenge?, method?}` → 200 *Authenticated*.
pub(super) async fn complete(mount: &Mount, request: &Incoming) -> Outcome {
    let CompleteSignIn { code, challenge, method } = request.body()?;
    let challenge = challenge.or_else(|| kept(mount, request)).unwrap_or_default();
    match second_step::complete(&mount.auth, &challenge, method, &code, &request.context).await {
        Ok(authenticated) => {
            end_before(mount, request).await?;
            Ok(reply::authenticated(mount, request, &authenticated))
        }
        Err(error) => dead(mount, request, error.into()),
    }
}

fields! {
    /// For whom another code is to be mailed.
    struct ResendSecondStep {
        /// The challenge that the first step was answered with; a browser may have it in a cookie.
        challenge: Optional<field::OpaqueToken> = "challenge",
    }
}

/// `{challenge?}` → 202 `{}`.
pub(super) async fn resend(mount: &Mount, request: &Incoming) -> Outcome {
    let ResendSecondStep { challenge } = request.body()?;
    let challenge = challenge.or_else(|| kept(mount, request)).unwrap_or_default();
    match second_step::resend(&mount.auth, &challenge, &request.context).await {
        Ok(()) => Ok(reply::json(StatusCode::ACCEPTED, &Nothing {})),
        Err(error) => dead(mount, request, error.into()),
    }
}

/// The challenge that the browser keeps.
fn kept(mount: &Mount, request: &Incoming) -> Option<String> {
    mount.cookies.as_ref()?.challenge.as_ref()?.read(&request.head.headers).map(str::to_owned)
}

/// A challenge that is dead is taken from the browser.
fn dead(mount: &Mount, request: &Incoming, problem: Problem) -> Outcome {
    let cookie = mount.cookies.as_ref().and_then(|cookies| cookies.challenge.as_ref());
    match cookie.filter(|cookie| cookie.is_present(&request.head.headers)) {
        Some(cookie) if problem.code() == ProblemCode::Unauthorized => {
            let request_id = request.context.request_id.as_deref().unwrap_or_default();
            problem.log(request_id);
            let mut response = problem.into_response(request_id);
            cookie::append(response.headers_mut(), cookie.clear());
            Ok(response)
        }
        _ => Err(problem),
    }
}

pub(super) fn complete_description(mount: &Mount) -> Description {
    Description::new(
        "Take the second step",
        "Starts the session that the challenge stands for. A challenge takes five attempts and lives for 15 minutes; a \
         wrong code is `CODE_INVALID` while it lives, everything else about it `UNAUTHORIZED`.",
    )
    .body::<CompleteSignIn>()
    .authenticated(mount)
    .problems([ProblemCode::Unauthorized, ProblemCode::CodeInvalid])
}

pub(super) fn resend_description() -> Description {
    Description::new(
        "Ask for another code",
        "Mails another code for the second step, in place of the one before. The challenge lives no longer, and its \
         attempts stay counted.",
    )
    .body::<ResendSecondStep>()
    .reply::<Nothing>(StatusCode::ACCEPTED, "It is on its way, where mail is one of the methods.")
    .problems([ProblemCode::Unauthorized])
    .sets_cookies()
}
