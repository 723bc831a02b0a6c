//! `GET /csrf`.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::Outcome;
use crate::cookie;
use crate::mount::Mount;
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
