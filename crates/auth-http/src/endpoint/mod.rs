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

use crate::auth_http::AuthHttp;
use crate::idempotency;
use crate::mount::Mount;
use crate::openapi::Description;
use crate::page;
use crate::problem::Problem;
use crate::request::Incoming;
use crate::route::Operation;

/// What an endpoint comes to.
type Outcome = Result<Response<Bytes>, Problem>;

/// Answers `request` with `operation`, after the manner of `mount`'s profile.
pub(crate) async fn answer(operation: Operation, mount: &Arc<Mount>, http: &AuthHttp, request: Incoming) -> Outcome {
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
        Operation::OpenApi => Ok(root::openapi(http)),
        Operation::OpenApiPage => Ok(root::openapi_page(http)),
        Operation::Health => Ok(root::health()),
        Operation::Readiness => root::readiness(auth, http.readiness()).await,
    }
}

/// What the OpenAPI document says of `operation`, after the manner of `mount`'s profile.
pub(crate) fn describe(operation: Operation, mount: &Mount) -> Description {
    match operation {
        Operation::Register => register::description(mount),
        Operation::SignIn => sign_in::description(mount),
        Operation::Refresh => refresh::description(mount),
        Operation::SignOut => sign_out::description(),
        Operation::SignOutEverywhere => sign_out::everywhere_description(),
        Operation::RequestVerification => verify_email::request_description(),
        Operation::ConfirmVerification => verify_email::confirm_description(),
        Operation::RequestReset => reset_password::request_description(),
        Operation::ConfirmReset => reset_password::confirm_description(),
        Operation::ChangePassword => change_password::description(mount),
        Operation::ShowProfile => profile::show_description(),
        Operation::EditProfile => profile::edit_description(),
        Operation::ListSessions => sessions::list_description(),
        Operation::EndSession => sessions::end_description(),
        Operation::ShowCsrfToken => csrf::description(),
        Operation::Reauthenticate => reauthenticate::description(mount),
        Operation::DeleteAccount => account::delete_description(),
        Operation::ExportAccount => account::export_description(),
        Operation::RequestEmailChange => change_email::request_description(),
        Operation::ConfirmEmailChange => change_email::confirm_description(),
        Operation::UndoEmailChange => change_email::undo_description(),
        Operation::ListUsers => admin::list_users_description(),
        Operation::ShowUser => admin::show_user_description(),
        Operation::SuspendUser => admin::suspend_description(),
        Operation::ReactivateUser => admin::reactivate_description(),
        Operation::GrantRole => admin::grant_role_description(),
        Operation::RevokeRole => admin::revoke_role_description(),
        Operation::EndUserSessions => admin::end_sessions_description(),
        Operation::ListAuditEvents => admin::list_audit_events_description(),
        Operation::ShowVerifyPage => page::verify_email::show_description(),
        Operation::SubmitVerifyPage => page::verify_email::submit_description(),
        Operation::ShowResetPage => page::reset_password::show_description(),
        Operation::SubmitResetPage => page::reset_password::submit_description(),
        Operation::ShowConfirmEmailPage => page::change_email::show_confirm_description(),
        Operation::SubmitConfirmEmailPage => page::change_email::submit_confirm_description(),
        Operation::ShowUndoEmailPage => page::change_email::show_undo_description(),
        Operation::SubmitUndoEmailPage => page::change_email::submit_undo_description(),
        Operation::Jwks => root::jwks_description(),
        Operation::OpenApi => root::openapi_description(),
        Operation::OpenApiPage => root::openapi_page_description(),
        Operation::Health => root::health_description(),
        Operation::Readiness => root::readiness_description(),
    }
}
