//! Who asks, for an application's own handlers.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use auth_core::domain::Signed;
use auth_http::{AuthHttp, Check, Demand, PermissionName, RoleName, csrf};
use rocket::request::{FromRequest, Outcome};
use rocket::{Ignite, Request, Rocket, Sentinel};

use crate::exchange::{Passage, is_unmounted};
use crate::rejection::{REFUSED, Rejection};

auth_http::__signed_types! {
    /// - A browser's unsafe request has to come from an origin of ours, with the session's CSRF token: in the header
    ///   `X-CSRF-Token`, or in a form's field `csrf_token` within the form's first 512 bytes, which is as far as a guard sees.
    ///   [`CsrfToken::hidden_input`](CsrfToken) first in the form is within them; [`CsrfForm`](crate::CsrfForm) finds it
    ///   anywhere.
    /// - A browser whose user was given or taken a role gets a new secret with the reply.
    /// - [`Maybe<CurrentUser>`](Maybe) lets guests through. `Option<CurrentUser>` is Rocket's own: it is `None` for everybody
    ///   whom this guard would refuse, those included whose credential is dead, whose request is another site's, or for whom
    ///   the store could not be asked. They then count as guests, and don't notice.
    CurrentUser;
    ///
    /// ```
    /// # use auth_rocket::HasRole;
    /// # use rocket::post;
    /// auth_rocket::roles! { Editor = "editor"; }
    ///
    /// #[post("/publish")]
    /// fn publish(editor: HasRole<Editor>) -> String {
    ///     format!("Published by {}", editor.email)
    /// }
    /// ```
    HasRole;
}

/// What no other site makes a browser send: an unsafe method needs an origin of ours, and, where a cookie authenticates it,
/// the session's CSRF token. See [`CurrentUser`] for where it is looked for.
///
/// The guards that ask who is signed in ask for the same. This one is for routes that guests may call too.
#[derive(Debug, Clone, Copy)]
pub struct Csrf;

/// The CSRF token of the session that asks, for a page to send along with what changes something. Without a live session the
/// request is answered with 401.
///
/// ```
/// # use auth_rocket::CsrfToken;
/// # use rocket::get;
/// # use rocket::response::content::RawHtml;
/// #[get("/edit")]
/// fn edit(csrf: CsrfToken) -> RawHtml<String> {
///     // First, where every guard finds it.
///     RawHtml(format!("<form method=post>{}<textarea name=text></textarea><button>Save</button></form>", csrf.hidden_input()))
/// }
/// ```
///
/// Scripts send it in the header `X-CSRF-Token`.
#[derive(Debug, Clone)]
pub struct CsrfToken(csrf::Token);

impl Deref for CsrfToken {
    type Target = csrf::Token;

    fn deref(&self) -> &csrf::Token {
        &self.0
    }
}

/// `G` of whoever is signed in, if anybody: [`CurrentUser`], [`CurrentSession`] or [`CsrfToken`]. One with a dead access token
/// is answered with 401, so that the client notices; a session cookie that is dead counts as none, since its browser goes on
/// sending it.
///
/// ```
/// # use auth_rocket::{CurrentUser, Maybe};
/// # use rocket::get;
/// #[get("/")]
/// fn home(user: Maybe<CurrentUser>) -> String {
///     match &*user {
///         Some(user) => format!("Hello, {}", user.email),
///         None => "Hello, stranger".to_owned(),
///     }
/// }
/// ```
///
/// Unlike `Option<G>`, which swallows every refusal.
#[derive(Debug, Clone)]
pub struct Maybe<G>(Option<G>);

impl<G> Maybe<G> {
    /// As an `Option`.
    pub fn into_inner(self) -> Option<G> {
        self.0
    }
}

impl<G> Deref for Maybe<G> {
    type Target = Option<G>;

    fn deref(&self) -> &Option<G> {
        &self.0
    }
}

/// What is made of whoever meets a demand.
#[doc(hidden)]
pub trait FromSigned: Send + Sized {
    /// What is demanded.
    fn demand() -> Demand;

    /// What is made of them.
    fn from_signed(http: &AuthHttp, signed: Arc<Signed>) -> Self;
}

/// Who is let through by `check`, if anybody.
pub(crate) async fn admitted(check: Check, request: &Request<'_>) -> Outcome<Option<Arc<Signed>>, Rejection> {
    let Some(mut passage) = Passage::of(request) else { return Outcome::Error((REFUSED, Rejection::UNMOUNTED)) };
    match check.admit(passage.http, &mut passage).await {
        Ok(signed) => Outcome::Success(signed),
        Err(problem) => Outcome::Error(passage.refuse(problem)),
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Guest {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Rejection> {
        admitted(Check::Demand(Demand::Guest), request).await.map(|_| Self)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Csrf {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Rejection> {
        admitted(Check::Csrf, request).await.map(|_| Self)
    }
}

#[rocket::async_trait]
impl<'r, G: FromSigned> FromRequest<'r> for Maybe<G> {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Rejection> {
        let Some(mut passage) = Passage::of(request) else { return Outcome::Error((REFUSED, Rejection::UNMOUNTED)) };
        match Check::Optional.admit(passage.http, &mut passage).await {
            Ok(signed) => Outcome::Success(Self(signed.map(|signed| G::from_signed(passage.http, signed)))),
            Err(problem) => Outcome::Error(passage.refuse(problem)),
        }
    }
}

/// Who meets the demand.
async fn somebody<G: FromSigned>(request: &Request<'_>) -> Outcome<G, Rejection> {
    let Some(mut passage) = Passage::of(request) else { return Outcome::Error((REFUSED, Rejection::UNMOUNTED)) };
    match Check::Demand(G::demand()).admit_somebody(passage.http, &mut passage).await {
        Ok(signed) => Outcome::Success(G::from_signed(passage.http, signed)),
        Err(problem) => Outcome::Error(passage.refuse(problem)),
    }
}

/// Guards that somebody has to meet the demand of: a blanket implementation of Rocket's trait can't be ours.
macro_rules! guards {
    ($($name:ident $(<$parameter:ident: $bound:ident>)? demands $demand:expr, $make:expr;)*) => {$(
        impl $(<$parameter: $bound>)? FromSigned for $name $(<$parameter>)? {
            fn demand() -> Demand {
                $demand
            }

            fn from_signed(http: &AuthHttp, signed: Arc<Signed>) -> Self {
                $make(http, signed)
            }
        }

        #[rocket::async_trait]
        impl<'r $(, $parameter: $bound)?> FromRequest<'r> for $name $(<$parameter>)? {
            type Error = Rejection;

            async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Rejection> {
                somebody(request).await
            }
        }
    )*};
}

guards! {
    CurrentUser demands Demand::Session, |_, signed| Self(signed);
    CurrentSession demands Demand::Session, |_, signed| Self(signed);
    CsrfToken demands Demand::Session, |http, signed: Arc<Signed>| Self(csrf::Token::of(http, &signed));
    VerifiedUser demands Demand::Verified, |_, signed| Self(signed);
    FreshUser demands Demand::Fresh, |_, signed| Self(signed);
    FreshSession demands Demand::Fresh, |_, signed| Self(signed);
    HasRole<R: RoleName> demands Demand::role::<R>(), |_, signed| Self(signed, PhantomData);
    HasPermission<P: PermissionName> demands Demand::permission::<P>(), |_, signed| Self(signed, PhantomData);
}

/// An application with one of these launches with the fairing only.
macro_rules! sentinels {
    ($($name:ident $(<$parameter:ident>)?,)*) => {$(
        impl $(<$parameter>)? Sentinel for $name $(<$parameter>)? {
            fn abort(rocket: &Rocket<Ignite>) -> bool {
                is_unmounted(rocket)
            }
        }
    )*};
}

sentinels! {
    CurrentUser, CurrentSession, CsrfToken, VerifiedUser, FreshUser, FreshSession, HasRole<R>, HasPermission<P>, Guest, Csrf, Maybe<G>,
}
