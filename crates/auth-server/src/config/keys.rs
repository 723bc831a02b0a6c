//! What everything hangs on: peppers and what signs access tokens.

use std::path::Path;

use auth_core::Signing;
use auth_core::access_token::{Ed25519Key, HmacSecret};
use auth_core::keys::Pepper;
use zeroize::Zeroizing;

use super::reader::Reader;
use crate::Failure;

impl Reader {
    pub(super) fn current_pepper(&mut self) -> Option<Pepper> {
        const NAME: &str = "AUTH_PEPPER";
        let secret = self.secret(NAME)?;
        self.pepper(NAME, &secret)
    }

    pub(super) fn old_peppers(&mut self) -> Vec<Pepper> {
        const NAME: &str = "AUTH_PEPPER_OLD";
        let list = Zeroizing::new(self.source.take(NAME).unwrap_or_default());
        let secrets = list.split(',').map(str::trim).filter(|text| !text.is_empty());
        let read = |secret| {
            self.check_secret(NAME, secret);
            self.pepper(NAME, secret)
        };
        secrets.filter_map(read).collect()
    }

    fn pepper(&mut self, name: &str, text: &str) -> Option<Pepper> {
        let pepper = Pepper::new(text.as_bytes());
        pepper.map_err(|error| self.mistake(format!("{name}: {error}"))).ok()
    }

    pub(super) fn signing(&mut self, key_file: Option<&Path>) -> Signing {
        match (self.secret("JWT_SECRET"), key_file) {
            (Some(_), Some(_)) => self.mistake("JWT_SECRET and JWT_KEY_FILE are both set: one key signs"),
            (Some(secret), None) => match HmacSecret::new(secret.as_bytes()) {
                Ok(secret) => return Signing::Secret(secret),
                Err(error) => self.mistake(format!("JWT_SECRET: {error}")),
            },
            (None, Some(file)) => match read_key(file) {
                Ok(key) => return Signing::Own(key),
                Err(error) => self.mistake(format!("JWT_KEY_FILE {}: {error}", file.display())),
            },
            (None, None) => {}
        }
        Signing::Stored
    }
}

/// An Ed25519 key from a PEM file.
fn read_key(path: &Path) -> Result<Ed25519Key, Failure> {
    let pem = Zeroizing::new(std::fs::read(path)?);
    Ok(Ed25519Key::from_pem(&pem)?)
}
