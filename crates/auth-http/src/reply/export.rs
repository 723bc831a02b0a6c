//! All that is stored about a user.

use auth_core::domain::{self, Factor, SessionId};
use auth_core::flow::account;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{AuditEvent, Session, User};

/// All that is stored about a user, but for secrets and what is made of them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Export {
    /// The user.
    user: User,
    /// The application's own fields.
    attributes: Map<String, Value>,
    /// Whether there is a password.
    has_password: bool,
    /// The second factors that are on.
    second_factors: Vec<&'static str>,
    /// Recovery codes that are not spent.
    recovery_codes_left: usize,
    /// Sessions, live or not, that are still kept.
    sessions: Vec<Session>,
    /// Links and codes that were mailed.
    tokens: Vec<Token>,
    /// Mails.
    mails: Vec<Mail>,
    /// Entries of the audit log by or about the user.
    events: Vec<AuditEvent>,
}

/// A link or code that was mailed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Token {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    purpose: &'static str,
    #[schemars(extend("format" = "email"))]
    email: String,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
}

/// A mail.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Mail {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    kind: &'static str,
    #[schemars(extend("format" = "email"))]
    to: String,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

impl Export {
    /// `export`, as asked for in the session `current`.
    pub(crate) fn of(export: &account::Export, current: SessionId) -> Self {
        let attributes = export.user.attributes.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        Self {
            user: (&export.user).into(),
            attributes: attributes.collect(),
            has_password: export.has_password,
            second_factors: export.user.factors.iter().map(Factor::as_str).collect(),
            recovery_codes_left: export.recovery_codes_left,
            sessions: export.sessions.iter().map(|session| Session::of(session, current)).collect(),
            tokens: export.tokens.iter().map(Token::from).collect(),
            mails: export.mails.iter().map(Mail::from).collect(),
            events: export.events.iter().map(AuditEvent::from).collect(),
        }
    }
}

impl From<&domain::Token> for Token {
    fn from(token: &domain::Token) -> Self {
        Self {
            id: token.id.to_string(),
            purpose: token.purpose.as_str(),
            email: token.email.as_str().to_owned(),
            created_at: token.created_at.to_rfc3339(),
            expires_at: token.link_until.max(token.code_until).to_rfc3339(),
        }
    }
}

impl From<&domain::MailRecord> for Mail {
    fn from(mail: &domain::MailRecord) -> Self {
        Self {
            id: mail.id.to_string(),
            kind: mail.kind.as_str(),
            to: mail.to.as_str().to_owned(),
            created_at: mail.created_at.to_rfc3339(),
        }
    }
}
