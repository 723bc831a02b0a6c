//! An authenticator app.

use auth_core::domain::Timestamp;
use totp_rs::{Builder, Secret, Totp};

/// An authenticator app that was given a secret: shows codes at whatever time it is.
pub struct Authenticator(Totp);

impl Authenticator {
    /// An app that was told the secret in base32, as people type it in.
    pub fn typed(base32: &str) -> Self {
        let secret = Secret::try_from_base32(base32).expect("a secret in base32");
        Self(Builder::new().with_secret(secret).build().expect("a secret that is long enough"))
    }

    /// An app that has read the address `otpauth://…`.
    pub fn scanned(uri: &str) -> Self {
        Self(Totp::from_url(uri).expect("an address that apps can read"))
    }

    /// The six digits that it shows.
    pub fn code(&self, now: Timestamp) -> String {
        self.0.generate(u64::try_from(now.as_seconds()).expect("a time after 1970")).to_string()
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator(…)")
    }
}
