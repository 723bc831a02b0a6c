//! `{token}` from a mailed link, or `{email, code}`.

use auth_core::domain::{Code, Secret, TokenId};
use auth_core::flow::proof::Proof;

use super::field;
use crate::fields::{Optional, Required, fields};
use crate::problem::Problem;

fields! {
    /// What somebody presents from a mail: the token of its link, or their address and its code. The token wins where both
    /// are sent.
    pub(super) enum Presented {
        Link {
            /// The token in the link.
            token: Required<field::LinkToken> = "token",
        },
        Code {
            /// The address that the mail went to.
            email: Required<field::Email> = "email",
            /// The six digits in the mail.
            code: Required<field::Code> = "code",
            /// The record that the code belongs to, where the client was told of it.
            record: Optional<field::RecordId> = "tokenId",
        },
    }
}

impl Presented {
    /// The proof that the texts spell.
    ///
    /// # Errors
    /// `TOKEN_INVALID` where they spell none: the answer of a wrong one, since that is what it is.
    pub(super) fn parse(self) -> Result<Proof, Problem> {
        let proof = match self {
            Self::Link { token } => Secret::parse(&token).map(Proof::Link),
            Self::Code { email, code, record } => {
                let record = self::record(record)?;
                Code::parse(&code).map(|code| Proof::Code { email, code, record })
            }
        };
        proof.ok_or_else(Problem::token_invalid)
    }
}

/// The record that is named: what is no id is none that anybody has.
pub(super) fn record(named: Option<String>) -> Result<Option<TokenId>, Problem> {
    named.map(|id| id.parse().map_err(|_| Problem::token_invalid())).transpose()
}
