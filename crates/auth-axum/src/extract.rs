//! Who asks, for an application's own handlers.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use auth_core::domain::{Role, Session, Signed, User};
use auth_http::{AuthHttp, Demand, Problem, csrf};
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::identify::{Caller, Rejection};
use crate::name::{PermissionName, RoleName};

/// A router's state that the extractors can find the [`AuthHttp`] in: it is one, or axum's [`FromRef`] takes one out of it.
#[diagnostic::on_unimplemented(
    message = "there is no `AuthHttp` in the router's state `{Self}`",
    label = "asks who is signed in, and finds nobody to tell",
    note = "make it the state, `.with_state(auth)`, or a field of a state with `#[derive(axum::extract::FromRef)]`"
)]
pub trait AuthState: Send + Sync {
    /// The one in it.
    fn auth(&self) -> AuthHttp;
}

#[diagnostic::do_not_recommend]
impl<S: Send + Sync> AuthState for S
where
    AuthHttp: FromRef<S>,
{
    fn auth(&self) -> AuthHttp {
        AuthHttp::from_ref(self)
    }
}

/// The user who asks. Without a live session the request is answered with 401, as `application/problem+json`.
///
/// - The session is read from the store, once a request however many layers and extractors ask: sign-out, suspension and
///   changes of role count at once.
/// - `Option<CurrentUser>` lets requests without a credential through. One with a dead access token is still 401, so that
///   the client notices.
/// - Cheap to clone; reads like the [`User`].
#[derive(Debug, Clone)]
pub struct CurrentUser(Arc<Signed>);

/// The session of the user who asks, and reads like it. See [`CurrentUser`].
#[derive(Debug, Clone)]
pub struct CurrentSession(Arc<Signed>);

/// A user who proved their address; others are answered with 403 `EMAIL_NOT_VERIFIED`. See [`CurrentUser`].
#[derive(Debug, Clone)]
pub struct VerifiedUser(Arc<Signed>);

/// A user who proved within the last 10 minutes who they are; others are answered with 403 `REAUTHENTICATION_REQUIRED`. See
/// [`CurrentUser`].
#[derive(Debug, Clone)]
pub struct FreshUser(Arc<Signed>);

/// A user who holds the role `R`; others are answered with 403. See [`CurrentUser`], and [`roles!`](crate::roles) for `R`.
///
/// ```
/// # use auth_axum::HasRole;
/// auth_axum::roles! { Editor = "editor"; }
///
/// async fn publish(editor: HasRole<Editor>) -> String {
///     format!("Published by {}", editor.email)
/// }
/// ```
pub struct HasRole<R>(Arc<Signed>, PhantomData<R>);

/// A user who has the permission `P`; others are answered with 403. See [`CurrentUser`], and
/// [`permissions!`](crate::permissions) for `P`.
pub struct HasPermission<P>(Arc<Signed>, PhantomData<P>);

/// Nobody: whoever is signed in is answered with 403 `GUESTS_ONLY`. For pages to sign in and up. A dead credential is none.
#[derive(Debug, Clone, Copy)]
pub struct Guest;

/// The CSRF token of the session that asks, for a page to send along with what changes something. Without a live session the
/// request is answered with 401.
///
/// ```
/// # use auth_axum::CsrfToken;
/// # use axum::response::Html;
/// async fn edit(csrf: CsrfToken) -> Html<String> {
///     Html(format!("<form method=post>{}<textarea name=text></textarea><button>Save</button></form>", csrf.hidden_input()))
/// }
/// ```
///
/// Scripts send it in the header `X-CSRF-Token`.
#[derive(Clone)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// The token.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The field of a form, as HTML.
    pub fn hidden_input(&self) -> String {
        csrf::hidden_input(&self.0)
    }
}

/// Not the token.
impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken")
    }
}

macro_rules! reads_like {
    ($($name:ident $(<$parameter:ident>)? : $target:ident by $field:ident;)*) => {$(
        impl $(<$parameter>)? Deref for $name $(<$parameter>)? {
            type Target = $target;

            fn deref(&self) -> &$target {
                &self.0.$field
            }
        }

        impl $(<$parameter>)? $name $(<$parameter>)? {
            /// Session and user, as the flows of the core take them.
            pub fn signed(&self) -> &Signed {
                &self.0
            }
        }
    )*};
}

reads_like! {
    CurrentUser: User by user;
    CurrentSession: Session by session;
    VerifiedUser: User by user;
    FreshUser: User by user;
    HasRole<R>: User by user;
    HasPermission<P>: User by user;
}

impl<R> Clone for HasRole<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<P> Clone for HasPermission<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<R: RoleName> fmt::Debug for HasRole<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HasRole").field(&R::NAME).field(&self.0.user.id).finish()
    }
}

impl<P: PermissionName> fmt::Debug for HasPermission<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HasPermission").field(&P::NAME).field(&self.0.user.id).finish()
    }
}

/// Who meets `demand`.
async fn signed<S: AuthState>(parts: &mut Parts, state: &S, demand: &Demand) -> Result<Arc<Signed>, Rejection> {
    let http = state.auth();
    let admitted = Caller::of(parts, &http).await.and_then(|caller| caller.admit(&http, demand));
    // Somebody, where it isn't guests who are asked for.
    let signed = admitted.and_then(|signed| signed.ok_or_else(Problem::unauthorized));
    signed.map_err(|problem| Rejection::new(&http, problem, parts))
}

/// Who is signed in, if anybody.
async fn optional<S: AuthState>(parts: &mut Parts, state: &S) -> Result<Option<Arc<Signed>>, Rejection> {
    let http = state.auth();
    let found = Caller::of(parts, &http).await.and_then(|caller| caller.optional());
    found.map_err(|problem| Rejection::new(&http, problem, parts))
}

impl<S: AuthState> FromRequestParts<S> for CurrentUser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, &Demand::Session).await.map(Self)
    }
}

impl<S: AuthState> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        Ok(optional(parts, state).await?.map(Self))
    }
}

impl<S: AuthState> FromRequestParts<S> for CurrentSession {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, &Demand::Session).await.map(Self)
    }
}

impl<S: AuthState> OptionalFromRequestParts<S> for CurrentSession {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        Ok(optional(parts, state).await?.map(Self))
    }
}

impl<S: AuthState> FromRequestParts<S> for VerifiedUser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, &Demand::Verified).await.map(Self)
    }
}

impl<S: AuthState> FromRequestParts<S> for FreshUser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, &Demand::Fresh).await.map(Self)
    }
}

impl<S: AuthState, R: RoleName> FromRequestParts<S> for HasRole<R> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        const { assert!(Role::is_name(R::NAME), "no role can have this name: see RoleName::NAME") };
        let signed = signed(parts, state, &Demand::Role(R::NAME.into())).await?;
        Ok(Self(signed, PhantomData))
    }
}

impl<S: AuthState, P: PermissionName> FromRequestParts<S> for HasPermission<P> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let signed = signed(parts, state, &Demand::Permission(P::NAME.into())).await?;
        Ok(Self(signed, PhantomData))
    }
}

impl<S: AuthState> FromRequestParts<S> for Guest {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let http = state.auth();
        let admitted = Caller::of(parts, &http).await.and_then(|caller| caller.admit(&http, &Demand::Guest));
        admitted.map(|_| Self).map_err(|problem| Rejection::new(&http, problem, parts))
    }
}

impl<S: AuthState> FromRequestParts<S> for CsrfToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let signed = signed(parts, state, &Demand::Session).await?;
        Ok(Self(state.auth().csrf_token(&signed)))
    }
}

impl<S: AuthState> OptionalFromRequestParts<S> for CsrfToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        let signed = optional(parts, state).await?;
        Ok(signed.map(|signed| Self(state.auth().csrf_token(&signed))))
    }
}
