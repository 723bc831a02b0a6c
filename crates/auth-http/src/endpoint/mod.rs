//! One file per group of operations: each decodes, calls one flow and replies. No rule lives here.

mod account;
mod admin;
mod change_email;
mod change_password;
mod csrf;
mod field;
mod profile;
mod proof;
mod reauthenticate;
mod refresh;
mod register;
mod reset_password;
mod root;
mod sessions;
mod sign_in;
mod sign_out;
mod verify_email;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use crate::idempotency;
use crate::mount::Mount;
use crate::page;
use crate::problem::Problem;
use crate::readiness::Readiness;
use crate::request::Incoming;
use crate::route::Operation;

/// What an endpoint comes to.
type Outcome = Result<Response<Bytes>, Problem>;

/// Answers `request` with `operation`, after the manner of `mount`'s profile.
pub(crate) async fn answer(
    operation: Operation,
    mount: &Arc<Mount>,
    readiness: &Readiness,
    request: Incoming,
) -> Outcome {
    let auth = &mount.auth;
    match operation {
        Operation::Register => {
            let run =
                |mount: Arc<Mount>, request: Incoming| async move { register::register(&mount.auth, &request).await };
            idempotency::once(mount, "register", request, run).await
        }
        Operation::SignIn => sign_in::sign_in(mount, &request).await,
        Operation::Refresh => refresh::refresh(mount, &request).await,
        Operation::SignOut => sign_out::sign_out(mount, &request).await,
        Operation::SignOutEverywhere => sign_out::everywhere(mount, &request).await,
        Operation::RequestVerification => verify_email::request(auth, &request).await,
        Operation::ConfirmVerification => verify_email::confirm(auth, &request).await,
        Operation::RequestReset => reset_password::request(auth, &request).await,
        Operation::ConfirmReset => reset_password::confirm(auth, &request).await,
        Operation::ChangePassword => change_password::change(mount, &request).await,
        Operation::ShowProfile => profile::show(&request),
        Operation::EditProfile => profile::edit(auth, &request).await,
        Operation::ListSessions => sessions::list(auth, &request).await,
        Operation::EndSession => sessions::end(auth, &request).await,
        Operation::ShowCsrfToken => csrf::show(mount, &request),
        Operation::Reauthenticate => reauthenticate::reauthenticate(mount, &request).await,
        Operation::DeleteAccount => account::delete(mount, &request).await,
        Operation::ExportAccount => account::export(auth, &request).await,
        Operation::RequestEmailChange => change_email::request(auth, &request).await,
        Operation::ConfirmEmailChange => change_email::confirm(mount, &request).await,
        Operation::UndoEmailChange => change_email::undo(auth, &request).await,
        Operation::ListUsers => admin::list_users(auth, &request).await,
        Operation::ShowUser => admin::show_user(auth, &request).await,
        Operation::SuspendUser => admin::suspend(auth, &request).await,
        Operation::ReactivateUser => admin::reactivate(auth, &request).await,
        Operation::GrantRole => admin::grant_role(auth, &request).await,
        Operation::RevokeRole => admin::revoke_role(auth, &request).await,
        Operation::EndUserSessions => admin::end_sessions(auth, &request).await,
        Operation::ListAuditEvents => admin::list_audit_events(auth, &request).await,
        Operation::ShowVerifyPage => page::verify_email::show(&request),
        Operation::SubmitVerifyPage => page::verify_email::submit(auth, &request).await,
        Operation::ShowResetPage => page::reset_password::show(&request),
        Operation::SubmitResetPage => page::reset_password::submit(auth, &request).await,
        Operation::ShowConfirmEmailPage => page::change_email::show_confirm(&request),
        Operation::SubmitConfirmEmailPage => page::change_email::submit_confirm(auth, &request).await,
        Operation::ShowUndoEmailPage => page::change_email::show_undo(&request),
        Operation::SubmitUndoEmailPage => page::change_email::submit_undo(auth, &request).await,
        Operation::Jwks => Ok(root::jwks(auth)),
        Operation::Health => Ok(root::health()),
        Operation::Readiness => root::readiness(auth, readiness).await,
    }
}
