//! `DELETE /me`, `GET /me/export`.

use auth_core::Auth;
use auth_core::flow::account;
use http::StatusCode;

use super::Outcome;
use crate::mount::Mount;
use crate::reply::{self, Export};
use crate::request::Incoming;

/// → 204, and nothing is left.
pub(super) async fn delete(mount: &Mount, request: &Incoming) -> Outcome {
    account::delete(&mount.auth, request.signed()?, &request.context).await?;
    Ok(reply::forgotten(mount))
}

/// → 200: all that is stored about the user.
pub(super) async fn export(auth: &Auth, request: &Incoming) -> Outcome {
    let signed = request.signed()?;
    let export = account::export(auth, signed, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &Export::of(&export, signed.session.id)))
}
