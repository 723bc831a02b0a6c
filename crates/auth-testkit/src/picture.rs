//! What a store shows of a user, for comparing before and after.

use auth_core::domain::{Purpose, UserId};
use auth_core::port::{AuditQuery, MailQuery, Store};

use crate::show;

/// Everything that the read ports tell about one user: account and hash, sessions, tokens, second factors, audit entries,
/// mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture(Vec<String>);

impl Picture {
    /// The picture of `user`.
    pub async fn of(store: &dyn Store, user: UserId) -> Self {
        let mut lines = Vec::new();
        lines.extend(store.find_user(user).await.expect("the user").as_ref().map(show::account));
        lines.extend(store.sessions_of(user).await.expect("the sessions").iter().map(show::session));
        for purpose in Purpose::ALL {
            lines.extend(store.tokens_of(user, purpose).await.expect("the tokens").iter().map(show::token));
        }
        // In no order, so sorted here.
        let mut secrets: Vec<_> =
            store.totp_secrets(user).await.expect("the secrets").iter().map(show::totp_secret).collect();
        let mut codes: Vec<_> = store.recovery_codes(user).await.expect("the codes").iter().map(show::mac).collect();
        secrets.sort_unstable();
        codes.sort_unstable();
        lines.extend(secrets.into_iter().chain(codes));
        let about_them = AuditQuery { user: Some(user), limit: 10_000, ..AuditQuery::default() };
        let events = store.audit_events(&about_them).await.expect("the audit entries");
        lines.extend(events.iter().map(|event| format!("{event:?}")));
        let about_them = MailQuery { user: Some(user), limit: 10_000, ..MailQuery::default() };
        lines.extend(store.mails(&about_them).await.expect("the mail").iter().map(show::mail_record));
        Self(lines)
    }
}
