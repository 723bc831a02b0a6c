//! Who asks: the session behind a request's credential, whatever it travels in.

use auth_core::domain::{Context, Signed};
use auth_core::flow::authenticate::{self, Presented};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::mount::Mount;
use crate::problem::Problem;
use crate::profile::Delivery;
use crate::{bearer, csrf, span};

/// Whose credential a request carries.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Identified {
    /// The session, with its user.
    pub signed: Signed,
    /// For the reply, whatever it says: without these the browser would be signed out, since its secret was replaced just
    /// now (after its user was given or taken a role).
    pub set_cookies: Vec<HeaderValue>,
}

/// The credential that the request carries in the way of that profile's clients.
pub(crate) fn presented<'a>(mount: &Mount, headers: &'a HeaderMap) -> Option<Presented<'a>> {
    match (mount.profile.delivery, &mount.cookies) {
        (Delivery::Body, _) => bearer::token(headers).map(Presented::AccessToken),
        (Delivery::SessionCookie, Some(cookies)) => cookies.session.read(headers).map(Presented::Cookie),
        (Delivery::SessionCookie, None) => None,
    }
}

/// Whether the request carries what that profile takes for a credential, live or dead.
pub(crate) fn is_presented(mount: &Mount, headers: &HeaderMap) -> bool {
    match (mount.profile.delivery, &mount.cookies) {
        (Delivery::Body, _) => bearer::is_present(headers),
        (Delivery::SessionCookie, Some(cookies)) => cookies.session.is_present(headers),
        (Delivery::SessionCookie, None) => false,
    }
}

/// The session behind the request's credential, where that profile takes it: one read.
///
/// `field` is the CSRF token from a form, where there is one.
///
/// # Errors
/// 401 where there is no credential or a dead one; 403 where a cookie came without the CSRF token that the profile asks
/// for.
pub(crate) async fn identify(
    mount: &Mount,
    head: &Parts,
    field: Option<&str>,
    _context: &Context,
) -> Result<Identified, Problem> {
    let presented = presented(mount, &head.headers).ok_or_else(Problem::unauthorized)?;
    let is_cookie = matches!(presented, Presented::Cookie(_));
    let signed = if head.method.is_safe() {
        authenticate::authenticate(&mount.auth, presented).await?
    } else {
        authenticate::authenticate_for_change(&mount.auth, presented).await?
    };
    span::note_user(signed.user.id);
    if is_cookie && mount.profile.csrf_token {
        csrf::check(&mount.auth, &signed.session, head, field)?;
    }
    Ok(Identified { signed, set_cookies: Vec::new() })
}
