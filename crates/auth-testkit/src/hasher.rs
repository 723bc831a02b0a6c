//! A password hasher that costs nothing and counts.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use auth_core::domain::{Digest, Password, PasswordHash};
use auth_core::port::{HashError, PasswordHasher, Verdict};

/// Hashes with one unsalted SHA-256, for tests that aren't about hashing: Argon2 takes a hundred thousand times as long.
///
/// Counts, so that a test can say how much Argon2 work somebody could have bought.
#[derive(Debug, Default)]
pub struct FastHasher {
    work: AtomicUsize,
    busy: std::sync::atomic::AtomicBool,
}

impl FastHasher {
    /// How many passwords were hashed or verified since the last time.
    pub fn take(&self) -> usize {
        self.work.swap(0, Ordering::SeqCst)
    }

    /// Refuses all work, or takes it again.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::SeqCst);
    }

    /// A hash that verifies and is called outdated.
    pub fn outdated(password: &Password) -> PasswordHash {
        PasswordHash::from_stored(format!("$outdated${}", digest(password)))
    }

    fn work(&self) -> Result<(), HashError> {
        if self.busy.load(Ordering::SeqCst) {
            return Err(HashError::Busy);
        }
        self.work.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn digest(password: &Password) -> String {
    format!("{:?}", Digest::of(&[password.expose().as_bytes()]).as_bytes())
}

#[async_trait]
impl PasswordHasher for FastHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        self.work()?;
        Ok(PasswordHash::from_stored(format!("$fast${}", digest(password))))
    }

    async fn verify(&self, password: &Password, hash: Option<PasswordHash>) -> Result<Verdict, HashError> {
        self.work()?;
        let Some(hash) = hash else { return Ok(Verdict::Mismatch) };
        let (kind, stored) = hash.as_str()[1..].split_once('$').ok_or(HashError::Unreadable("no kind".into()))?;
        Ok(if stored == digest(password) { Verdict::Match { outdated: kind == "outdated" } } else { Verdict::Mismatch })
    }
}
