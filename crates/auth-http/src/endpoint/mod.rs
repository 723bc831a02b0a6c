//! One file per group of operations: each decodes, calls one flow and replies. No rule lives here.

mod change_password;
mod field;
mod profile;
mod proof;
mod refresh;
mod register;
mod reset_password;
mod root;
mod sessions;
mod sign_in;
mod sign_out;
mod verify_email;

use std::sync::Arc;

use auth_core::Auth;
use auth_core::domain::Signed;
use auth_core::flow::authenticate;
use bytes::Bytes;
use http::{HeaderMap, Response};

use crate::bearer;
use crate::idempotency;
use crate::page;
use crate::problem::Problem;
use crate::readiness::Readiness;
use crate::request::Incoming;
use crate::route::Operation;
use crate::span;

/// What an endpoint comes to.
type Outcome = Result<Response<Bytes>, Problem>;

/// Answers `request` with `operation`.
pub(crate) async fn answer(
    operation: Operation,
    auth: &Arc<Auth>,
    readiness: &Readiness,
    request: Incoming,
) -> Outcome {
    match operation {
        Operation::Register => {
            let run = |auth: Arc<Auth>, request: Incoming| async move { register::register(&auth, &request).await };
            idempotency::once(auth, "register", request, run).await
        }
        Operation::SignIn => sign_in::sign_in(auth, &request).await,
        Operation::Refresh => refresh::refresh(auth, &request).await,
        Operation::SignOut => sign_out::sign_out(auth, &request).await,
        Operation::SignOutEverywhere => sign_out::everywhere(auth, &request).await,
        Operation::RequestVerification => verify_email::request(auth, &request).await,
        Operation::ConfirmVerification => verify_email::confirm(auth, &request).await,
        Operation::RequestReset => reset_password::request(auth, &request).await,
        Operation::ConfirmReset => reset_password::confirm(auth, &request).await,
        Operation::ChangePassword => change_password::change(auth, &request).await,
        Operation::ShowProfile => profile::show(auth, &request).await,
        Operation::EditProfile => profile::edit(auth, &request).await,
        Operation::ListSessions => sessions::list(auth, &request).await,
        Operation::EndSession => sessions::end(auth, &request).await,
        Operation::ShowVerifyPage => page::verify_email::show(&request),
        Operation::SubmitVerifyPage => page::verify_email::submit(auth, &request).await,
        Operation::ShowResetPage => page::reset_password::show(&request),
        Operation::SubmitResetPage => page::reset_password::submit(auth, &request).await,
        Operation::Jwks => Ok(root::jwks(auth)),
        Operation::Health => Ok(root::health()),
        Operation::Readiness => root::readiness(auth, readiness).await,
    }
}

/// The session behind the request's credential, with its user.
pub(crate) async fn signed(auth: &Auth, headers: &HeaderMap) -> Result<Signed, Problem> {
    let token = bearer::token(headers).ok_or_else(Problem::unauthorized)?;
    let signed = authenticate::authenticate(auth, token).await?;
    span::note_user(signed.user.id);
    Ok(signed)
}

/// The same, for an operation that changes something.
async fn signed_for_change(auth: &Auth, headers: &HeaderMap) -> Result<Signed, Problem> {
    let token = bearer::token(headers).ok_or_else(Problem::unauthorized)?;
    let signed = authenticate::authenticate_for_change(auth, token).await?;
    span::note_user(signed.user.id);
    Ok(signed)
}
