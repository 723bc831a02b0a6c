//! One file per group of operations: each decodes, calls one flow and replies. No rule lives here.

mod account;
mod admin;
mod by_code;
mod change_email;
mod change_password;
mod csrf;
mod factors;
mod field;
mod profile;
mod proof;
mod reauthenticate;
mod refresh;
mod register;
mod report_session;
mod reset_password;
mod root;
mod second_step;
mod service;
mod sessions;
mod sign_in;
mod sign_out;
mod verify_email;

use std::sync::Arc;

use auth_core::domain::Factor;
use auth_core::flow::factors::Switch;
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
        Operation::SignUp => {
            let run =
                |mount: Arc<Mount>, request: Incoming| async move { service::sign_up(&mount.auth, &request).await };
            idempotency::once(mount, "register", request, run).await
        }
        Operation::SignInAtOnce => service::sign_in(mount, &request).await,
        Operation::ResendVerification => service::resend(mount, &request).await,
        Operation::RefreshByBearer => service::refresh(mount, &request).await,
        Operation::SwitchEmailFactorOn => by_code::switch_email_factor(auth, Switch::On, &request).await,
        Operation::SwitchEmailFactorOff => by_code::switch_email_factor(auth, Switch::Off, &request).await,
        Operation::MoveByCode => by_code::change_email(auth, &request).await,
        Operation::ChangePasswordByCode => by_code::change_password(mount, &request).await,
        Operation::ResetByCode => by_code::reset_password(auth, &request).await,
        Operation::CompleteSignIn => second_step::complete(mount, &request).await,
        Operation::ResendSecondStep => second_step::resend(mount, &request).await,
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
        Operation::ReportSession => report_session::report(auth, &request).await,
        Operation::ShowFactors => factors::show(auth, &request).await,
        Operation::RequestEmailFactor => factors::request_email(auth, &request).await,
        Operation::ConfirmEmailFactor => factors::confirm_email(auth, &request).await,
        Operation::DropEmailFactor => factors::drop(auth, Factor::Email, &request).await,
        Operation::EnrolTotp => factors::enrol_totp(auth, &request).await,
        Operation::ConfirmTotp => factors::confirm_totp(auth, &request).await,
        Operation::DropTotp => factors::drop(auth, Factor::Totp, &request).await,
        Operation::RenewRecoveryCodes => factors::renew_recovery_codes(auth, &request).await,
        Operation::ShowCsrfToken => csrf::show(mount, &request),
        Operation::RequestReauthentication => reauthenticate::request(auth, &request).await,
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
        Operation::ShowReportPage => page::report_session::show(&request),
        Operation::SubmitReportPage => page::report_session::submit(auth, &request).await,
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
        Operation::SignUp => service::sign_up_description(mount),
        Operation::SignInAtOnce => service::sign_in_description(),
        Operation::ResendVerification => service::resend_description(),
        Operation::RefreshByBearer => service::refresh_description(mount),
        Operation::SwitchEmailFactorOn => by_code::switch_on_description(),
        Operation::SwitchEmailFactorOff => by_code::switch_off_description(),
        Operation::MoveByCode => by_code::change_email_description(),
        Operation::ChangePasswordByCode => by_code::change_password_description(mount),
        Operation::ResetByCode => by_code::reset_password_description(),
        Operation::CompleteSignIn => second_step::complete_description(mount),
        Operation::ResendSecondStep => second_step::resend_description(),
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
        Operation::ReportSession => report_session::description(),
        Operation::ShowFactors => factors::show_description(),
        Operation::RequestEmailFactor => factors::request_email_description(),
        Operation::ConfirmEmailFactor => factors::confirm_email_description(),
        Operation::DropEmailFactor => factors::drop_email_description(),
        Operation::EnrolTotp => factors::enrol_totp_description(),
        Operation::ConfirmTotp => factors::confirm_totp_description(),
        Operation::DropTotp => factors::drop_totp_description(),
        Operation::RenewRecoveryCodes => factors::renew_recovery_codes_description(),
        Operation::ShowCsrfToken => csrf::description(),
        Operation::RequestReauthentication => reauthenticate::request_description(),
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
        Operation::ShowReportPage => page::report_session::show_description(),
        Operation::SubmitReportPage => page::report_session::submit_description(),
        Operation::Jwks => root::jwks_description(),
        Operation::OpenApi => root::openapi_description(),
        Operation::OpenApiPage => root::openapi_page_description(),
        Operation::Health => root::health_description(),
        Operation::Readiness => root::readiness_description(),
    }
}
