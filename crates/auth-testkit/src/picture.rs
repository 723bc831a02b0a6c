//! What a store shows of a user, for comparing before and after.

use auth_core::domain::{Purpose, Timestamp, UserId};
use auth_core::port::Store;

use crate::show;

/// Everything that the read ports tell about one user: account and hash, live sessions, tokens, audit entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture(Vec<String>);

impl Picture {
    /// The picture of `user` at `now`.
    pub async fn of(store: &dyn Store, user: UserId, now: Timestamp) -> Self {
        let mut lines = Vec::new();
        lines.extend(store.find_user(user).await.expect("the user").as_ref().map(show::account));
        let sessions = store.sessions_of(user, now).await.expect("the sessions");
        lines.extend(sessions.iter().map(|session| format!("{session:?}")));
        for purpose in [Purpose::VerifyEmail, Purpose::ResetPassword] {
            lines.extend(store.tokens_of(user, purpose).await.expect("the tokens").iter().map(show::token));
        }
        let events = store.audit_events(Some(user), None, 10_000).await.expect("the audit entries");
        lines.extend(events.iter().map(|event| format!("{event:?}")));
        Self(lines)
    }
}
