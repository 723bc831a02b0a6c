//! Everything at rest, as text.

use std::fmt;

use super::Tables;
use crate::show;

/// One line a row, in an order that depends on the rows alone, so that equal tables have equal dumps.
impl fmt::Display for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.users.values().map(show::account));
        lines.extend(self.sessions.values().map(show::session));
        lines.extend(self.tokens.values().map(show::token));
        lines.extend(self.pendings.values().map(show::pending));
        lines.extend(self.totp_secrets.values().map(show::totp_secret));
        lines.extend(self.recovery_codes.iter().flat_map(|(user, codes)| {
            codes.iter().map(move |code| format!("recovery code of {user:?} {}", show::mac(code)))
        }));
        lines.extend(self.budgets.iter().map(|(key, window)| format!("{key:?} {window:?}")));
        lines.extend(self.audit.values().map(|event| format!("{event:?}")));
        lines.extend(self.signing_keys.values().map(show::signing_key));
        lines.extend(self.pepper_checks.iter().map(show::pepper_check));
        lines.extend(self.outbox.values().map(|row| format!("{row:?} {}", show::mail(&row.mail))));
        lines.extend(self.replies.iter().map(|(key, row)| {
            let reply = row.reply.as_ref().map(|reply| show::raw(reply.as_bytes()));
            let fingerprint = show::mac(&row.claimed.fingerprint);
            format!("{row:?} key={} fingerprint={fingerprint} reply={reply:?}", show::raw(key.as_bytes()))
        }));
        lines.extend(self.leases.iter().map(|(name, lease)| format!("{name} {lease:?}")));
        lines.sort_unstable();
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
