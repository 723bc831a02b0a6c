//! `POST /refresh`.

use auth_core::flow::refresh;

use super::{Outcome, field};
use crate::fields::{Optional, Required, fields};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
use crate::profile::Delivery;
use crate::reply;
use crate::request::Incoming;

fields! {
    /// The refresh token to be exchanged.
    struct Refresh {
        /// The latest refresh token of the session.
        token: Required<field::OpaqueToken> = "refreshToken",
    }
}

fields! {
    /// The refresh token to be exchanged, where it isn't in its cookie.
    struct RefreshByCookie {
        /// The latest refresh token of the session.
        token: Optional<field::OpaqueToken> = "refreshToken",
    }
}

/// `{refreshToken}`, or its cookie → 200 *Authenticated*.
pub(super) async fn refresh(mount: &Mount, request: &Incoming) -> Outcome {
    let token = match mount.cookies.as_ref().and_then(|cookies| cookies.refresh.as_ref()) {
        Some(cookie) => {
            let RefreshByCookie { token } = request.body()?;
            let kept = || cookie.read(&request.head.headers).map(str::to_owned);
            token.or_else(kept).ok_or_else(Problem::unauthorized)?
        }
        None => {
            let Refresh { token } = request.body()?;
            token
        }
    };
    let authenticated = refresh::refresh(&mount.auth, &token, &request.context).await?;
    Ok(reply::authenticated(mount, request, &authenticated))
}

pub(super) fn description(mount: &Mount) -> Description {
    let description = Description::new(
        "Exchange the refresh token",
        "Each refresh token is good for one exchange. One that was exchanged before is refused; where that was a while \
         ago, it counts as stolen, and the session ends.",
    )
    .authenticated(mount)
    .problems([ProblemCode::Unauthorized]);
    match mount.profile.delivery {
        Delivery::TokenCookies => description.body::<RefreshByCookie>(),
        _ => description.body::<Refresh>(),
    }
}
