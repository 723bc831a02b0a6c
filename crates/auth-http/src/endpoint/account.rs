//! `DELETE /me`, `GET /me/export`.

use auth_core::Auth;
use auth_core::flow::account;
use http::StatusCode;

use super::Outcome;
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::ProblemCode;
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

pub(super) fn delete_description() -> Description {
    let details = "Deletes the user and all that is stored about them; audit entries lose whom they were about. Wants a \
                   fresh session. The last administrator stays.";
    Description::new("Delete the account", details)
        .no_content("Nothing is left.")
        .sets_cookies()
        .problems([ProblemCode::Conflict])
}

pub(super) fn export_description() -> Description {
    let details = "Everything but secrets and what is made of them. Wants a fresh session.";
    Description::new("Export the account", details)
        .reply::<Export>(StatusCode::OK, "All that is stored about the user.")
}
