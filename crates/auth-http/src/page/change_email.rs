//! `GET` and `POST /confirm-email` and `/undo-email`: the links in mails about a change of address.

use auth_core::Auth;
use auth_core::flow::change_email::{self, ChangeProof};
use bytes::Bytes;
use http::{Response, StatusCode};

use super::{form, page, token};
use crate::problem::Problem;
use crate::request::Incoming;

/// A button that moves the account to the address that the mail went to.
pub(crate) fn show_confirm(request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let text = "One more click, and your account moves to this address: you sign in with it from then on.";
    button(request, "Confirm your new e-mail address", text, "confirm-email", "Confirm")
}

/// Moves it.
pub(crate) async fn submit_confirm(auth: &Auth, request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let secret = token(form(&request.body)?)?;
    change_email::confirm(auth, ChangeProof::Link(&secret), &request.context).await?;
    Ok(done("Your new e-mail address is confirmed", "From now on you sign in with it. You can close this page."))
}

/// A button that keeps the account at the address that the mail went to.
pub(crate) fn show_undo(request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let text = "If it wasn't you who asked for another address, keep this one. Then change your password.";
    button(request, "Keep your e-mail address", text, "undo-email", "Keep this address")
}

/// Keeps it.
pub(crate) async fn submit_undo(auth: &Auth, request: &Incoming) -> Result<Response<Bytes>, Problem> {
    change_email::undo(auth, &token(form(&request.body)?)?, &request.context).await?;
    let text = "Your account stays at this address. Now reset your password, and sign out everywhere.";
    Ok(done("Your e-mail address is kept", text))
}

fn button(request: &Incoming, title: &str, text: &str, action: &str, label: &str) -> Result<Response<Bytes>, Problem> {
    let token = token(request.query())?.expose();
    let body = format!(
        "<h1>{title}</h1>\n<p>{text}</p>\n<form method=\"post\" action=\"{action}\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n<button>{label}</button>\n</form>"
    );
    Ok(page(StatusCode::OK, title, &body))
}

fn done(title: &str, text: &str) -> Response<Bytes> {
    page(StatusCode::OK, title, &format!("<h1>{title}</h1>\n<p>{text}</p>"))
}
