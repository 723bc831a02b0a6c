//! All that is stored about a user.

use std::collections::BTreeMap;

use auth_core::domain::{MailRecord, SessionId, Token};
use auth_core::flow::account;
use serde::Serialize;

use super::{Event, Session, User};

/// All that is stored about a user, but for secrets and what is made of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Export {
    user: User,
    has_password: bool,
    /// The application's own fields.
    attributes: BTreeMap<String, serde_json::Value>,
    sessions: Vec<Session>,
    tokens: Vec<MailedToken>,
    mails: Vec<MailSent>,
    events: Vec<Event>,
}

/// What a mailed link or code stands for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MailedToken {
    /// `verify-email`, `reset-password`, `change-email` or `undo-email`.
    purpose: &'static str,
    sent_to: String,
    created_at: String,
    expires_at: String,
}

/// A mail, without what it carried.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MailSent {
    id: String,
    to: String,
    kind: &'static str,
    /// `queued`, `sent` or `dead`.
    state: &'static str,
    created_at: String,
}

impl Export {
    pub(crate) fn of(export: &account::Export, current: SessionId) -> Self {
        let attributes = export.user.attributes.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        Self {
            user: (&export.user).into(),
            has_password: export.has_password,
            attributes: attributes.collect(),
            sessions: export.sessions.iter().map(|session| Session::of(session, current)).collect(),
            tokens: export.tokens.iter().map(MailedToken::from).collect(),
            mails: export.mails.iter().map(MailSent::from).collect(),
            events: export.events.iter().map(Event::from).collect(),
        }
    }
}

impl From<&Token> for MailedToken {
    fn from(token: &Token) -> Self {
        Self {
            purpose: token.purpose.as_str(),
            sent_to: token.email.as_str().to_owned(),
            created_at: token.created_at.to_rfc3339(),
            expires_at: token.link_until.max(token.code_until).to_rfc3339(),
        }
    }
}

impl From<&MailRecord> for MailSent {
    fn from(mail: &MailRecord) -> Self {
        Self {
            id: mail.id.to_string(),
            to: mail.to.as_str().to_owned(),
            kind: mail.kind.as_str(),
            state: mail.state.as_str(),
            created_at: mail.created_at.to_rfc3339(),
        }
    }
}
