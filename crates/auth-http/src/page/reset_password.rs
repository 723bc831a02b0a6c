//! `GET` and `POST /reset-password`: the link in a reset mail.

use auth_core::Auth;
use auth_core::domain::{Password, Secret};
use auth_core::flow::proof::Proof;
use auth_core::flow::reset_password::{self, ConfirmError};
use auth_core::rules::password::WeakPassword;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::{describe_token, field, form, page, token};
use crate::openapi::Description;
use crate::problem::Problem;
use crate::request::Incoming;

const TITLE: &str = "Choose a new password";

/// A form for the new password.
pub(crate) fn show(request: &Incoming) -> Result<Response<Bytes>, Problem> {
    Ok(ask(&token(request.query_text())?, None))
}

/// Sets it, or shows the form again with what is wrong with it: a refused password spends nothing.
pub(crate) async fn submit(auth: &Auth, request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let fields = form(&request.body)?;
    let secret = token(fields)?;
    let Ok(password) = Password::parse(field(fields, "password").unwrap_or_default()) else {
        return Ok(ask(&secret, Some("Please type in a password.")));
    };
    let proof = Proof::Link(secret.clone());
    match reset_password::confirm(auth, &proof, &password, &request.context).await {
        Ok(()) => {
            let title = "Your password is changed";
            let text = "You were signed out everywhere. Please sign in with the new password.";
            Ok(page(StatusCode::OK, title, &format!("<h1>{title}</h1>\n<p>{text}</p>")))
        }
        Err(ConfirmError::Weak(weak)) => Ok(ask(&secret, Some(words(weak)))),
        Err(error) => Err(error.into()),
    }
}

fn ask(token: &Secret, mistake: Option<&'static str>) -> Response<Bytes> {
    let token = token.expose();
    // Tied to the field, so that screen readers say it with the field.
    let (status, error, described) = match mistake {
        Some(text) => (
            StatusCode::BAD_REQUEST,
            format!("<p class=\"error\" id=\"error\" role=\"alert\">{text}</p>\n"),
            " aria-invalid=\"true\" aria-describedby=\"error\"",
        ),
        None => (StatusCode::OK, String::new(), ""),
    };
    let body = format!(
        "<h1>{TITLE}</h1>\n{error}<form method=\"post\" action=\"reset-password\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n\
         <label for=\"password\">New password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" required autofocus\
         {described}>\n<button>Change password</button>\n</form>"
    );
    page(status, TITLE, &body)
}

const fn words(weak: WeakPassword) -> &'static str {
    match weak {
        WeakPassword::TooShort => "This password is too short: please use at least 8 characters.",
        WeakPassword::TooLong => "This password is too long: 256 characters are the most.",
        WeakPassword::Guessable => "This password is easy to guess. Several unrelated words make a good one.",
        WeakPassword::Personal => "This password is made of your name or address. Please use another one.",
        WeakPassword::Breached => "This password was in a data breach elsewhere. Please use another one.",
    }
}

pub(crate) fn show_description() -> Description {
    let details = "Shows a form for the new password. Opening it spends nothing.";
    Description::new("Open the link in a reset mail", details).link().page("The page.")
}

pub(crate) fn submit_description() -> Description {
    let details = "Takes the page's form, and shows it again where the password won't do.";
    let password = json!({ "type": "string", "format": "password", "description": "The new password." });
    Description::new("Reset the password by that page", details)
        .form(&json!({ "token": describe_token(), "password": password }))
        .page("The new password counts.")
}
