//! `GET /csrf`.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::Outcome;
use crate::cookie;
use crate::mount::Mount;
use crate::openapi::Description;
use crate::reply::{self, CsrfToken};
use crate::request::Incoming;

/// → 200 `{csrfToken}`, and the CSRF cookie: for a page that was opened with the session there already.
pub(super) fn show(mount: &Mount, request: &Incoming) -> Outcome {
    let session = &request.signed()?.session;
    let mut response: Response<Bytes> =
        reply::json(StatusCode::OK, &CsrfToken { csrf_token: mount.auth.csrf_token(session) });
    if let Some(cookies) = &mount.cookies {
        cookie::append(response.headers_mut(), reply::csrf_cookie(mount, cookies, session));
    }
    Ok(response)
}

pub(super) fn description() -> Description {
    Description::new(
        "Show the CSRF token",
        "For a page that was opened with the session there already: the token is in the reply, and in the CSRF cookie.",
    )
    .reply::<CsrfToken>(StatusCode::OK, "The session's token.")
}
