//! `GET` and `POST /report-session`: the link in a mail about a new device.

use auth_core::Auth;
use auth_core::flow::report_session;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::{describe_token, form, page, token};
use crate::openapi::Description;
use crate::problem::Problem;
use crate::request::Incoming;

const TITLE: &str = "Sign this device out";

/// A button that ends the session.
pub(crate) fn show(request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let token = token(request.query_text())?.expose();
    let body = format!(
        "<h1>{TITLE}</h1>\n<p>One more click signs the device out that the mail tells of. You then get a mail with a link to \
         set a new password.</p>\n\
         <form method=\"post\" action=\"report-session\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n<button>This wasn't me</button>\n</form>"
    );
    Ok(page(StatusCode::OK, TITLE, &body))
}

/// Ends it.
pub(crate) async fn submit(auth: &Auth, request: &Incoming) -> Result<Response<Bytes>, Problem> {
    let secret = token(form(&request.body)?)?;
    report_session::report(auth, &secret, &request.context).await?;
    let title = "The device is signed out";
    let text = "Whoever used it knows your password. A mail with a link to set a new one is on its way.";
    Ok(page(StatusCode::OK, title, &format!("<h1>{title}</h1>\n<p>{text}</p>")))
}

pub(crate) fn show_description() -> Description {
    let details = "Shows a button that ends the session. Opening it spends nothing.";
    Description::new("Open the link in a mail about a new device", details).link().page("The page.")
}

pub(crate) fn submit_description() -> Description {
    Description::new("End a session by that page", "Takes the page's form.")
        .form(&json!({ "token": describe_token() }))
        .page("The session is dead.")
}
