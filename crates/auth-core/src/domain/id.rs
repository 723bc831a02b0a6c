//! Identifiers: UUIDs of version 7, made from the clock and entropy ports.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::Timestamp;
use crate::port::Entropy;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id that sorts by `now` (RFC 9562 §5.7).
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                let mut random = [0; 10];
                entropy.fill(&mut random);
                let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The UUID's sixteen bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The UUID itself.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        /// Takes the hyphenated form only, as it is printed.
        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self(text.parse::<uuid::fmt::Hyphenated>()?.into_uuid()))
            }
        }
    };
}

id! {
    /// Names a user.
    UserId
}
id! {
    /// Names a session. A public handle: knowing it opens nothing.
    SessionId
}
id! {
    /// Names a device that has signed in to an account. A public handle: a [device token](crate::device_token) proves it.
    DeviceId
}
id! {
    /// Names a one-time token. A public handle: knowing it opens nothing.
    TokenId
}
id! {
    /// Names what an authenticator app shares with us. A public handle.
    FactorId
}
id! {
    /// Names a mail in the outbox.
    MailId
}
id! {
    /// Names an entry of the audit log.
    EventId
}
id! {
    /// Names one holder of a lease, so that a holder whose time ran out can't act on a later one's.
    LeaseId
}
