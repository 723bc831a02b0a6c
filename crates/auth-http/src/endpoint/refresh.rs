//! `POST /refresh`.

use auth_core::flow::refresh;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::ProblemCode;
use crate::reply;
use crate::request::Incoming;

fields! {
    /// The refresh token to be exchanged.
    struct Refresh {
        /// The latest refresh token of the session.
        token: Required<field::OpaqueToken> = "refreshToken",
    }
}

/// `{refreshToken}` → 200 *Authenticated*.
pub(super) async fn refresh(mount: &Mount, request: &Incoming) -> Outcome {
    let Refresh { token } = request.body()?;
    let authenticated = refresh::refresh(&mount.auth, &token, &request.context).await?;
    Ok(reply::authenticated(mount, request, &authenticated))
}

pub(super) fn description(mount: &Mount) -> Description {
    Description::new(
        "Exchange the refresh token",
        "Each refresh token is good for one exchange. One that was exchanged before is refused; where that was a while \
         ago, it counts as stolen, and the session ends.",
    )
    .body::<Refresh>()
    .authenticated(mount)
    .problems([ProblemCode::Unauthorized])
}
