//! `POST /sessions/report`.

use auth_core::Auth;
use auth_core::domain::Secret;
use auth_core::flow::report_session;

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
use crate::reply;
use crate::request::Incoming;

fields! {
    /// What the mail about a new device carries.
    struct ReportSession {
        /// The token in the link.
        token: Required<field::LinkToken> = "token",
    }
}

/// `{token}` → 204: that session is dead, with all others of its device, and a reset is mailed.
pub(super) async fn report(auth: &Auth, request: &Incoming) -> Outcome {
    let ReportSession { token } = request.body()?;
    let secret = Secret::parse(&token).ok_or_else(Problem::token_invalid)?;
    report_session::report(auth, &secret, &request.context).await?;
    Ok(reply::no_content())
}

pub(super) fn description() -> Description {
    Description::new(
        "Say that a session isn't yours",
        "Ends the session that the mail tells of, with all others of its device, and mails a reset.",
    )
    .body::<ReportSession>()
    .no_content("The session is dead, and a reset is on its way.")
    .problems([ProblemCode::TokenInvalid])
}
