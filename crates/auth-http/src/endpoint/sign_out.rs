//! `POST /logout`, `POST /logout/all`.

use auth_core::Auth;
use auth_core::flow::sign_out;

use super::{Outcome, field, signed};
use crate::problem::ProblemCode;
use crate::reply;
use crate::request::Incoming;

/// A credential, `{refreshToken}`, both, or nothing → 204. Whatever was presented is dead afterwards; a store that can't
/// say so is an error, never a 204.
pub(super) async fn sign_out(auth: &Auth, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let token = body.optional("refreshToken", field::text);
    body.check()?;

    match signed(auth, &request.headers).await {
        Ok(signed) => sign_out::sign_out(auth, &signed, &request.context).await?,
        // No credential, or one that is dead: there is nothing to end.
        Err(problem) if problem.code() == ProblemCode::Unauthorized => {}
        Err(problem) => return Err(problem),
    }
    if let Some(token) = token? {
        sign_out::by_refresh_token(auth, &token, &request.context).await?;
    }
    Ok(reply::no_content())
}

/// → 204, every session of the user is dead.
pub(super) async fn everywhere(auth: &Auth, request: &Incoming) -> Outcome {
    let signed = signed(auth, &request.headers).await?;
    sign_out::everywhere(auth, &signed, &request.context).await?;
    Ok(reply::no_content())
}
