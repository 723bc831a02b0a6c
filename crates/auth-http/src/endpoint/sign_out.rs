//! `POST /logout`, `POST /logout/all`.

use auth_core::flow::sign_out;

use super::{Outcome, field};
use crate::bearer;
use crate::fields::{Optional, fields};
use crate::identity::{self, Use};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::ProblemCode;
use crate::reply;
use crate::request::Incoming;

fields! {
    /// The session to end, where no credential names it.
    struct SignOut {
        /// A refresh token of the session.
        token: Optional<field::OpaqueToken> = "refreshToken",
    }
}

/// A credential, `{refreshToken}`, both, or nothing → 204. Whatever was presented is dead afterwards; a store that can't
/// say so is an error, never a 204. Cookies are cleared also where there was no session to end.
pub(super) async fn sign_out(mount: &Mount, request: &Incoming) -> Outcome {
    let body: SignOut = request.body()?;
    if mount.cookies.is_some() {
        match identity::authenticated(mount, &request.head, None, Use::Decide).await {
            Ok(signed) => sign_out::sign_out(&mount.auth, &signed, &request.context).await?,
            Err(problem) if problem.code() == ProblemCode::Unauthorized => {}
            Err(problem) => return Err(problem),
        }
    }
    if let Some(token) = bearer::token(&request.head.headers) {
        sign_out::by_access_token(&mount.auth, token, &request.context).await?;
    }
    let kept = || mount.cookies.as_ref()?.refresh.as_ref()?.read(&request.head.headers).map(str::to_owned);
    if let Some(token) = body.token.or_else(kept) {
        sign_out::by_refresh_token(&mount.auth, &token, &request.context).await?;
    }
    Ok(reply::signed_out(mount))
}

/// → 204, every session of the user is dead.
pub(super) async fn everywhere(mount: &Mount, request: &Incoming) -> Outcome {
    let signed = request.signed()?;
    sign_out::everywhere(&mount.auth, signed, &request.context).await?;
    Ok(reply::signed_out(mount))
}

pub(super) fn description() -> Description {
    Description::new(
        "Sign out",
        "Ends the session of the credential, and that of the refresh token. Without either, or with dead ones, there is \
         nothing to end.",
    )
    .takes_credential()
    .body::<SignOut>()
    .no_content("Whatever was presented is dead.")
    .sets_cookies()
}

pub(super) fn everywhere_description() -> Description {
    Description::new("Sign out everywhere", "Ends every session of the user, this one included.")
        .no_content("Every session is dead.")
        .sets_cookies()
}
