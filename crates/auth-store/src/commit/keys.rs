//! Changing signing keys and pepper checks.

use async_trait::async_trait;
use auth_core::domain::{PepperCheck, Sealed, SigningKey};

use super::{Statements, Written};

/// Statements about keys.
#[async_trait]
pub trait KeyStatements: Statements {
    /// Inserts a signing key. [`Written::Taken`]: its number is.
    async fn insert_signing_key(&mut self, key: &SigningKey) -> Result<Written, Self::Error>;

    /// Replaces a signing key's sealed form, where it is still `from`.
    async fn reseal_signing_key(&mut self, number: u32, from: &Sealed, to: &Sealed) -> Result<u64, Self::Error>;

    /// Deletes the signing keys of a number below that one.
    async fn delete_signing_keys(&mut self, below: u32) -> Result<u64, Self::Error>;

    /// Inserts a pepper check, where there is none of that key.
    async fn insert_pepper_check(&mut self, check: &PepperCheck) -> Result<(), Self::Error>;
}
