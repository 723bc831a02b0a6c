//! A request on its way through a layer, which may look into a form and give the reply cookies.

use std::borrow::Cow;
use std::net::IpAddr;

use auth_http::{AuthHttp, Caller, Problem, Visit, csrf};
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::HeaderValue;
use http::header::SET_COOKIE;
use http::request::Parts;

use crate::identify::{keep, known};
use crate::router::peer;

/// Bytes that a form may have in which the CSRF token is looked for: as many as axum's own `Form` takes by default.
const MAX_FORM: usize = 2 * 1024 * 1024;

/// A request on its way through a layer.
pub(crate) struct Passage<'a> {
    http: &'a AuthHttp,
    pub(crate) parts: Parts,
    body: Body,
    set_cookies: Vec<HeaderValue>,
}

impl Visit for Passage<'_> {
    fn head(&self) -> &Parts {
        &self.parts
    }

    fn peer(&self) -> Option<IpAddr> {
        peer(&self.parts.extensions)
    }

    async fn caller(&mut self) -> Result<Caller, Problem> {
        if let Some(known) = known(&self.parts) {
            return Ok(known);
        }
        let field = self.form_field().await?;
        let found = self.http.identify_optional(&self.parts, self.peer(), field.as_deref()).await;
        let found = found.map(|found| {
            found.map(|identified| {
                self.set_cookies = identified.set_cookies;
                identified.signed
            })
        });
        Ok(keep(&mut self.parts, Caller::found(found)?))
    }
}

impl<'a> Passage<'a> {
    pub(crate) fn new(http: &'a AuthHttp, request: Request) -> Self {
        let (parts, body) = request.into_parts();
        Self { http, parts, body, set_cookies: Vec::new() }
    }

    /// The CSRF token in a form, where it is asked for. The body is put back as it was.
    async fn form_field(&mut self) -> Result<Option<String>, Problem> {
        if !self.http.wants_form_field(&self.parts) {
            return Ok(None);
        }
        let body = auth_http::read_body(std::mem::take(&mut self.body), MAX_FORM).await?;
        let field = csrf::form_field(&body).map(Cow::into_owned);
        self.body = body.into();
        Ok(field)
    }

    /// The request, and cookies for whatever reply it comes to.
    pub(crate) fn go_on(self) -> (Request, Vec<HeaderValue>) {
        (Request::from_parts(self.parts, self.body), self.set_cookies)
    }
}

/// The reply with cookies, beside those that it has.
pub(crate) fn with_cookies(mut response: Response, set_cookies: Vec<HeaderValue>) -> Response {
    for cookie in set_cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
