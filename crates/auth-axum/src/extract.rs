//! Who asks, for an application's own handlers.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use auth_core::domain::Signed;
use auth_http::{AuthHttp, Check, Demand, PermissionName, RoleName, csrf};
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::identify::{Extraction, Rejection};

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

auth_http::__signed_types! {
    /// - `Option<CurrentUser>` lets requests without a credential through. One with a dead access token is still 401, so that
    ///   the client notices.
    CurrentUser;
    ///
    /// ```
    /// # use auth_axum::HasRole;
    /// auth_axum::roles! { Editor = "editor"; }
    ///
    /// async fn publish(editor: HasRole<Editor>) -> String {
    ///     format!("Published by {}", editor.email)
    /// }
    /// ```
    HasRole;
}

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
#[derive(Debug, Clone)]
pub struct CsrfToken(csrf::Token);

impl Deref for CsrfToken {
    type Target = csrf::Token;

    fn deref(&self) -> &csrf::Token {
        &self.0
    }
}

/// Who meets `demand`.
async fn signed<S: AuthState>(parts: &mut Parts, state: &S, demand: Demand) -> Result<Arc<Signed>, Rejection> {
    let http = state.auth();
    let admitted = Check::Demand(demand).admit_somebody(&http, &mut Extraction { http: &http, parts }).await;
    admitted.map_err(|problem| Rejection::new(&http, problem, parts))
}

/// Who is let through by `check`, if anybody.
async fn admitted<S: AuthState>(parts: &mut Parts, state: &S, check: Check) -> Result<Option<Arc<Signed>>, Rejection> {
    let http = state.auth();
    let admitted = check.admit(&http, &mut Extraction { http: &http, parts }).await;
    admitted.map_err(|problem| Rejection::new(&http, problem, parts))
}

impl<S: AuthState> FromRequestParts<S> for CurrentUser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, Demand::Session).await.map(Self)
    }
}

impl<S: AuthState> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        Ok(admitted(parts, state, Check::Optional).await?.map(Self))
    }
}

impl<S: AuthState> FromRequestParts<S> for CurrentSession {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, Demand::Session).await.map(Self)
    }
}

impl<S: AuthState> OptionalFromRequestParts<S> for CurrentSession {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        Ok(admitted(parts, state, Check::Optional).await?.map(Self))
    }
}

impl<S: AuthState> FromRequestParts<S> for VerifiedUser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, Demand::Verified).await.map(Self)
    }
}

impl<S: AuthState> FromRequestParts<S> for FreshUser {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, Demand::Fresh).await.map(Self)
    }
}

impl<S: AuthState> FromRequestParts<S> for FreshSession {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, Demand::Fresh).await.map(Self)
    }
}

impl<S: AuthState, R: RoleName> FromRequestParts<S> for HasRole<R> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, Demand::role::<R>()).await.map(|signed| Self(signed, PhantomData))
    }
}

impl<S: AuthState, P: PermissionName> FromRequestParts<S> for HasPermission<P> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        signed(parts, state, Demand::permission::<P>()).await.map(|signed| Self(signed, PhantomData))
    }
}

impl<S: AuthState> FromRequestParts<S> for Guest {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        admitted(parts, state, Check::Demand(Demand::Guest)).await.map(|_| Self)
    }
}

impl<S: AuthState> FromRequestParts<S> for CsrfToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let signed = signed(parts, state, Demand::Session).await?;
        Ok(Self(csrf::Token::of(&state.auth(), &signed)))
    }
}

impl<S: AuthState> OptionalFromRequestParts<S> for CsrfToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        let signed = admitted(parts, state, Check::Optional).await?;
        Ok(signed.map(|signed| Self(csrf::Token::of(&state.auth(), &signed))))
    }
}
