//! The tables: which rows each holds, and which indexes lead to them.
//!
//! Keys are bytes, compared one by one. A UUID of version 7 begins with its time, so rows of such ids lie in the order that
//! they were made in; numbers are big-endian for the same reason.

use auth_core::domain::{AuditEvent, Pending, PepperCheck, Session, SigningKey, Token, TotpSecret};
use auth_store::read::Unreadable;
use redb::TableDefinition;

use crate::kept::Kept;
use crate::record::{EverybodysEpoch, Holders, Lease, MailRow, RecoveryCodes, Reply, UserRow, Window};

/// Bytes under bytes: rows by their keys, or keys of rows by what else leads to them.
pub(crate) type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Canonical address → user.
pub(crate) const EMAILS: Table = Table::new("emails");
/// Digest of a browser's secret → session.
pub(crate) const SECRETS: Table = Table::new("session_secrets");
/// User, session → session.
pub(crate) const SESSIONS_OF: Table = Table::new("sessions_of_user");
/// Digest of a link's secret → token.
pub(crate) const TOKEN_LINKS: Table = Table::new("token_links");
/// User, token → token.
pub(crate) const TOKENS_OF: Table = Table::new("tokens_of_user");
/// User, authenticator's secret → authenticator's secret.
pub(crate) const TOTP_SECRETS_OF: Table = Table::new("totp_secrets_of_user");
/// Digest of a link's secret → waiting registration.
pub(crate) const PENDING_LINKS: Table = Table::new("pending_links");
/// Canonical address, NUL, slot → waiting registration.
pub(crate) const SLOTS: Table = Table::new("pending_slots");

/// Every index, beside [`ROWS`].
pub(crate) const INDEXES: &[Table] =
    &[EMAILS, SECRETS, SESSIONS_OF, TOKEN_LINKS, TOKENS_OF, TOTP_SECRETS_OF, PENDING_LINKS, SLOTS];

/// What is a row of a table.
pub(crate) trait Record: Kept {
    const TABLE: Table;

    /// Where else the row is found: index and key, which no other row may have.
    fn entries(&self) -> Vec<(Table, Vec<u8>)>;

    fn encode(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// Without a reason where it can't be read, which would quote what is there: errors go into a log.
    fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(bytes).ok().and_then(Self::from_json).ok_or(Unreadable("row"))
    }
}

macro_rules! records {
    ($($table:literal: $type:ident, $entries:expr;)*) => {
        $(
            impl Record for $type {
                const TABLE: Table = Table::new($table);

                fn entries(&self) -> Vec<(Table, Vec<u8>)> {
                    let entries: fn(&Self) -> Vec<(Table, Vec<u8>)> = $entries;
                    entries(self)
                }
            }
        )*

        /// Every table of rows.
        pub(crate) const ROWS: &[Table] = &[$($type::TABLE),*];
    };
}

records! {
    "users": UserRow, |row| vec![(EMAILS, row.user.email.canonical().into())];
    "sessions": Session, |session| {
        let secret = session.credential.secret().map(|secret| (SECRETS, secret.as_bytes().to_vec()));
        let of_user = (SESSIONS_OF, [*session.user.as_bytes(), *session.id.as_bytes()].concat());
        [of_user].into_iter().chain(secret).collect()
    };
    "tokens": Token, |token| {
        let link = token.link.map(|link| (TOKEN_LINKS, link.as_bytes().to_vec()));
        let of_user = (TOKENS_OF, [*token.user.as_bytes(), *token.id.as_bytes()].concat());
        [of_user].into_iter().chain(link).collect()
    };
    "totp_secrets": TotpSecret, |secret| {
        vec![(TOTP_SECRETS_OF, [*secret.user.as_bytes(), *secret.id.as_bytes()].concat())]
    };
    "recovery_codes": RecoveryCodes, |_| vec![];
    "pendings": Pending, |pending| {
        vec![(PENDING_LINKS, pending.link.as_bytes().to_vec()), (SLOTS, slot(pending))]
    };
    "everybodys_epoch": EverybodysEpoch, |_| vec![];
    "holders": Holders, |_| vec![];
    "budgets": Window, |_| vec![];
    "signing_keys": SigningKey, |_| vec![];
    "pepper_checks": PepperCheck, |_| vec![];
    "mails": MailRow, |_| vec![];
    "audit_events": AuditEvent, |_| vec![];
    "replies": Reply, |_| vec![];
    "leases": Lease, |_| vec![];
}

/// The key of a registration's slot. No address contains a NUL, so none is the beginning of another's key.
pub(crate) fn slot(pending: &Pending) -> Vec<u8> {
    [&*slots_of(pending.email.canonical()), &pending.slot.to_be_bytes()].concat()
}

/// What the keys of an address's slots begin with.
pub(crate) fn slots_of(address: &str) -> Vec<u8> {
    [address.as_bytes(), &[0]].concat()
}
