//! `GET` and `POST /confirm-email` and `/undo-email`: the links in mail about an account that moves to another address.

use auth_core::Auth;
use auth_core::flow::change_email::{self, ChangeProof};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::{describe_token, form, page, token};
use crate::openapi::Description;
use crate::problem::Problem;
use crate::request::Incoming;

const CONFIRM: &str = "Use this e-mail address";
const UNDO: &str = "Keep your e-mail address";

/// A button that moves the account.
pub(crate) fn show_confirm(request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let text = "One more click, and your account uses this address from now on.";
    button(request, CONFIRM, text, "confirm-email", "Use this address")
}

/// Moves it.
pub(crate) async fn submit_confirm(auth: &Auth, request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let secret = token(form(&request.body)?)?;
    change_email::confirm(auth, ChangeProof::Link(&secret), &request.context).await?;
    Ok(done("Your e-mail address is changed", "Thank you. You can close this page."))
}

/// A button that moves it back.
pub(crate) fn show_undo(request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let text = "Somebody asked to move your account to another address. One more click, and it stays at this one.";
    button(request, UNDO, text, "undo-email", "Keep this address")
}

/// Moves it back.
pub(crate) async fn submit_undo(auth: &Auth, request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let secret = token(form(&request.body)?)?;
    change_email::undo(auth, &secret, &request.context).await?;
    let text =
        "If it wasn't you who asked for another one, please reset your password now: whoever it was is signed in.";
    Ok(done("Your e-mail address stays", text))
}

fn button(request: &Incoming, title: &str, text: &str, action: &str, label: &str) -> Result<Response<Bytes>, Problem> {
    let token = token(request.query_text())?.expose();
    let body = format!(
        "<h1>{title}</h1>\n<p>{text}</p>\n<form method=\"post\" action=\"{action}\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n<button>{label}</button>\n</form>"
    );
    Ok(page(StatusCode::OK, title, &body))
}

fn done(title: &str, text: &str) -> Response<Bytes> {
    page(StatusCode::OK, title, &format!("<h1>{title}</h1>\n<p>{text}</p>"))
}

pub(crate) fn show_confirm_description() -> Description {
    let details = "Shows a button that moves the account. Opening it spends nothing.";
    Description::new("Open the link in a mail to the new address", details).link().page("The page.")
}

pub(crate) fn submit_confirm_description() -> Description {
    Description::new("Move an account by that page", "Takes the page's form.")
        .form(&json!({ "token": describe_token() }))
        .page("The account has moved.")
}

pub(crate) fn show_undo_description() -> Description {
    let details = "Shows a button that keeps the account where it was. Opening it spends nothing.";
    Description::new("Open the link in a mail to the old address", details).link().page("The page.")
}

pub(crate) fn submit_undo_description() -> Description {
    Description::new("Move an account back by that page", "Takes the page's form.")
        .form(&json!({ "token": describe_token() }))
        .page("The account is where it was.")
}
