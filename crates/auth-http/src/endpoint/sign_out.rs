//! `POST /logout`, `POST /logout/all`.

use auth_core::Auth;
use auth_core::flow::sign_out;

use super::{Outcome, field, signed_for_change};
use crate::bearer;
use crate::reply;
use crate::request::Incoming;

/// A credential, `{refreshToken}`, both, or nothing → 204. Whatever was presented is dead afterwards; a store that can't
/// say so is an error, never a 204.
pub(super) async fn sign_out(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let token = body.optional("refreshToken", field::text);
    body.check()?;

    if let Some(token) = bearer::token(&request.headers) {
        sign_out::by_access_token(auth, token, &request.context).await?;
    }
    if let Some(token) = token? {
        sign_out::by_refresh_token(auth, &token, &request.context).await?;
    }
    Ok(reply::no_content())
}

/// → 204, every session of the user is dead.
pub(super) async fn everywhere(auth: &Auth, request: &Incoming) -> Outcome {
    let signed = signed_for_change(auth, &request.headers).await?;
    sign_out::everywhere(auth, &signed, &request.context).await?;
    Ok(reply::no_content())
}
