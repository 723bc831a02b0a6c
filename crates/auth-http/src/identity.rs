//! Who asks: the session behind a request's credential, whatever it travels in.

use std::sync::Arc;

use auth_core::domain::{Context, Signed};
use auth_core::flow::Actor;
use auth_core::flow::authenticate::{self, AuthenticateError, Presented};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::mount::Mount;
use crate::problem::Problem;
use crate::profile::Delivery;
use crate::reply;
use crate::route::Access;
use crate::{bearer, csrf, span};

/// Whose credential a request carries.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Identified {
    /// The session, with its user.
    pub signed: Arc<Signed>,
    /// For the reply, whatever it says: without these the browser would be signed out, since its secret was replaced just
    /// now (after its user was given or taken a role).
    pub set_cookies: Vec<HeaderValue>,
}

/// What somebody's credential is presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// To look at something: a cache's copy of the session will do, and where the settings take access tokens at their word, a
    /// dead one.
    Look,
    /// To do something: the session must live; a copy of it will do.
    Act,
    /// To change an account, or with particular rights: by what the store says.
    Decide,
}

impl Use {
    /// What a request to a host's own routes is for, as far as its method tells.
    pub(crate) fn by_method(head: &Parts) -> Self {
        if head.method.is_safe() { Self::Look } else { Self::Act }
    }

    /// What a request to a route of ours is for.
    pub(crate) fn of_ours(access: Access, head: &Parts) -> Self {
        if access <= Access::SignedIn && head.method.is_safe() { Self::Look } else { Self::Decide }
    }
}

/// The credential that the request carries in the way of that profile.
fn presented<'a>(mount: &Mount, headers: &'a HeaderMap) -> Option<Presented<'a>> {
    match (&mount.cookies, mount.profile.delivery) {
        (None, _) => bearer::token(headers).map(Presented::AccessToken),
        (Some(cookies), Delivery::TokenCookies) => cookies.session.read(headers).map(Presented::AccessToken),
        (Some(cookies), _) => cookies.session.read(headers).map(Presented::Cookie),
    }
}

/// Whether the request carries what that profile takes for a credential, live or dead.
pub(crate) fn is_presented(mount: &Mount, headers: &HeaderMap) -> bool {
    match &mount.cookies {
        None => bearer::is_present(headers),
        Some(cookies) => cookies.session.is_present(headers),
    }
}

/// The session behind the request's credential, where that profile takes it: at most one read. A secret that the user's roles
/// have outgrown is replaced.
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
    for_what: Use,
    context: &Context,
) -> Result<Identified, Problem> {
    let mut signed = authenticated(mount, head, field, for_what).await?;
    let mut set_cookies = Vec::new();
    if let Some(cookies) = &mount.cookies
        && signed.session.credential.secret().is_some()
        && signed.is_behind_on_roles()
    {
        let secret = authenticate::rotate(&mount.auth, &mut signed, context).await?;
        set_cookies.extend(reply::session_cookie(mount, cookies, &signed.session, &secret));
    }
    Ok(Identified { signed, set_cookies })
}

/// The same, under the secret that it came with: for what ends the session anyway.
pub(crate) async fn authenticated(
    mount: &Mount,
    head: &Parts,
    field: Option<&str>,
    for_what: Use,
) -> Result<Arc<Signed>, Problem> {
    let presented = presented(mount, &head.headers).ok_or_else(Problem::unauthorized)?;
    let signed = match for_what {
        Use::Look => authenticate::authenticate(&mount.auth, presented).await?,
        Use::Act => authenticate::authenticate_live(&mount.auth, presented).await?,
        Use::Decide => authenticate::authenticate_for_change(&mount.auth, presented).await?,
    };
    span::note_user(signed.user.id);
    if mount.cookies.is_some() && mount.profile.csrf_token {
        csrf::check(&mount.auth, &signed.session, head, field)?;
    }
    Ok(signed)
}

/// Lets through whoever isn't signed in: a dead credential counts as none, so that it keeps nobody from signing in anew. The
/// store is asked, whatever a cache has.
///
/// # Errors
/// 403 `GUESTS_ONLY`.
pub(crate) async fn expect_nobody(mount: &Mount, head: &Parts) -> Result<(), Problem> {
    let Some(presented) = presented(mount, &head.headers) else { return Ok(()) };
    match authenticate::authenticate_for_change(&mount.auth, presented).await {
        Ok(_) => Err(Problem::guests_only()),
        Err(AuthenticateError::Unauthorized) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Lets through whom an operation is for.
///
/// # Errors
/// 403 where it is for others, or for those who proved just now who they are.
pub(crate) async fn admit(mount: &Mount, signed: &Signed, access: Access, context: &Context) -> Result<(), Problem> {
    match access {
        Access::Anybody | Access::Guest | Access::SignedIn => Ok(()),
        Access::Fresh if signed.is_fresh(mount.auth.now()) => Ok(()),
        Access::Fresh => Err(Problem::reauthentication_required()),
        Access::Admin => Ok(Actor::Admin(signed).check(&mount.auth, context).await?),
    }
}
