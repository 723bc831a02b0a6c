//! `{token}` from a mailed link, or `{email, code}`.

use auth_core::domain::{Code, Email, Secret};
use auth_core::flow::proof::Proof;

use super::field;
use crate::body::{Fields, Noted};
use crate::problem::Problem;

/// What somebody presents from a mail, as sent.
pub(super) enum Presented {
    Link(String),
    Code { email: Email, code: String },
}

impl Presented {
    /// Reads either form; a link wins where both are sent.
    pub(super) fn read(body: &mut Fields) -> Result<Self, Noted> {
        if body.has("token") || !(body.has("email") || body.has("code")) {
            return body.required("token", field::text).map(Self::Link);
        }
        // Both are read before either is judged, so that both errors are named.
        let (email, code) = (body.required("email", field::email), body.required("code", field::text));
        Ok(Self::Code { email: email?, code: code? })
    }

    /// The proof that the texts spell.
    ///
    /// # Errors
    /// `TOKEN_INVALID` where they spell none: the answer of a wrong one, since that is what it is.
    pub(super) fn parse(self) -> Result<Proof, Problem> {
        let proof = match self {
            Self::Link(token) => Secret::parse(&token).map(Proof::Link),
            Self::Code { email, code } => Code::parse(&code).map(|code| Proof::Code { email, code }),
        };
        proof.ok_or_else(Problem::token_invalid)
    }
}
