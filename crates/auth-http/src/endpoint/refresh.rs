//! `POST /refresh`.

use auth_core::flow::refresh;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::mount::Mount;
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
    Ok(reply::authenticated(mount, &request.head.headers, &authenticated))
}
