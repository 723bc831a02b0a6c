//! `GET` and `POST /verify-email`: the link in a verification mail.

use auth_core::Auth;
use auth_core::flow::proof::Proof;
use auth_core::flow::verify_email;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::{describe_token, form, page, token};
use crate::openapi::Description;
use crate::problem::Problem;
use crate::request::Incoming;

const TITLE: &str = "Confirm your e-mail address";

/// A button that confirms.
pub(crate) fn show(request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let token = token(request.query_text())?.expose();
    let body = format!(
        "<h1>{TITLE}</h1>\n<p>One more click shows that this address is yours.</p>\n\
         <form method=\"post\" action=\"verify-email\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n<button>Confirm</button>\n</form>"
    );
    Ok(page(StatusCode::OK, TITLE, &body))
}

/// Confirms.
pub(crate) async fn submit(auth: &Auth, request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let proof = Proof::Link(token(form(&request.body)?)?);
    verify_email::confirm(auth, &proof, &request.context).await?;
    let title = "Your e-mail address is confirmed";
    Ok(page(StatusCode::OK, title, &format!("<h1>{title}</h1>\n<p>Thank you. You can close this page.</p>")))
}

pub(crate) fn show_description() -> Description {
    let details = "Shows a button that confirms the address. Opening it spends nothing.";
    Description::new("Open the link in a verification mail", details).link().page("The page.")
}

pub(crate) fn submit_description() -> Description {
    Description::new("Confirm an address by that page", "Takes the page's form.")
        .form(&json!({ "token": describe_token() }))
        .page("The address is confirmed.")
}
