//! `POST /refresh`.

use auth_core::flow::refresh;

use super::{Outcome, field};
use crate::mount::Mount;
use crate::reply;
use crate::request::Incoming;

/// `{refreshToken}` → 200 *Authenticated*.
pub(super) async fn refresh(mount: &Mount, request: &Incoming) -> Outcome {
    let mut body = request.fields()?;
    let token = body.required("refreshToken", field::text);
    body.check()?;

    let authenticated = refresh::refresh(&mount.auth, &token?, &request.context).await?;
    Ok(reply::authenticated(mount, &authenticated))
}
