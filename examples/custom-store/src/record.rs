//! The rows, field by field.

use auth_core::domain::{
    AuditEvent, Credential, FirstStep, LeaseId, Mac, MailState, PasswordHash, Pending, PepperCheck, Profile,
    RefreshState, Sealed, SealedMail, Session, SigningKey, Timestamp, Token, TotpSecret, User,
};
use serde_json::{Map, Value};

use crate::kept::Kept;

/// A user, with the hash of their password.
pub(crate) struct UserRow {
    /// Its epoch is the user's own, without everybody's, modulo 2³²: whoever was made after a step of everybody's began below
    /// zero.
    pub(crate) user: User,
    pub(crate) password: Option<PasswordHash>,
}

/// What is added to every user's own epoch: the one row that ends everybody's sessions.
#[derive(Default)]
pub(crate) struct EverybodysEpoch {
    pub(crate) number: u32,
}

/// How many active users hold a role that somebody must hold.
pub(crate) struct Holders {
    pub(crate) number: u64,
}

/// A user's recovery codes that aren't spent.
pub(crate) struct RecoveryCodes {
    pub(crate) codes: Vec<Mac>,
}

/// Uses of a budget.
pub(crate) struct Window {
    pub(crate) ends_at: Timestamp,
    pub(crate) uses: u32,
}

/// A mail in the outbox, and how far it got.
pub(crate) struct MailRow {
    pub(crate) mail: SealedMail,
    pub(crate) state: MailState,
    /// Of a mail that is being sent: the worker's.
    pub(crate) lease: Option<LeaseId>,
    /// To be sent from then on; leased until then; sent or given up by then.
    pub(crate) at: Timestamp,
    /// How often it was leased.
    pub(crate) attempts: u32,
    /// Why it was put off or given up last.
    pub(crate) reason: Option<String>,
}

/// A claimed idempotency key, and the reply once there is one.
pub(crate) struct Reply {
    pub(crate) fingerprint: Mac,
    pub(crate) claim: LeaseId,
    pub(crate) claimed_until: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) reply: Option<Sealed>,
}

/// Who holds a named lease, and until when.
pub(crate) struct Lease {
    pub(crate) holder: LeaseId,
    pub(crate) until: Timestamp,
}

/// A JSON object of these fields. It doesn't compile until it has them all.
macro_rules! fields {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Kept for $type {
            fn to_json(&self) -> Value {
                let mut object = Map::new();
                $(object.insert(stringify!($field).to_owned(), self.$field.to_json());)*
                object.into()
            }

            // One that isn't there is `null`: rows from before a field was added.
            fn from_json(mut json: Value) -> Option<Self> {
                let object = json.as_object_mut()?;
                Some(Self { $($field: Kept::from_json(object.remove(stringify!($field)).unwrap_or_default())?),* })
            }
        }
    )*};
}

fields! {
    UserRow { user, password }
    User { id, email, email_verified_at, profile, status, epoch, roles, roles_version, factors, attributes, created_at }
    Profile { name, image_url, phone_number, locale }
    EverybodysEpoch { number }
    Holders { number }
    Session {
        id, user, epoch, roles_version, credential, created_at, authenticated_at, last_seen_at, idle_until, ends_at,
        kept_until, methods, device, ip, user_agent, closed_at
    }
    RefreshState { salt, counter, rotated_at }
    Token {
        id, user, purpose, email, account, link, link_until, code, code_until, attempts, requested_from, sign_in, session,
        created_at
    }
    FirstStep { epoch, device, methods }
    TotpSecret { id, user, secret, last_step, pending_until }
    RecoveryCodes { codes }
    Pending {
        id, email, slot, password, name, locale, attributes, link, link_until, code, code_until, attempts,
        requested_from, created_at
    }
    Window { ends_at, uses }
    SigningKey { number, kid, public, private, created_at }
    PepperCheck { key, mac }
    MailRow { mail, state, lease, at, attempts, reason }
    SealedMail { id, user, to, kind, body, created_at, expires_at }
    AuditEvent { id, at, kind, actor, subject, ip, user_agent, request_id, detail }
    Reply { fingerprint, claim, claimed_until, expires_at, reply }
    Lease { holder, until }
}

/// The refresh token's state as an object, or the secret's digest as a text.
impl Kept for Credential {
    fn to_json(&self) -> Value {
        match self {
            Self::Tokens(refresh) => refresh.to_json(),
            Self::Cookie(secret) => secret.to_json(),
        }
    }

    fn from_json(json: Value) -> Option<Self> {
        if json.is_object() { Kept::from_json(json).map(Self::Tokens) } else { Kept::from_json(json).map(Self::Cookie) }
    }
}
