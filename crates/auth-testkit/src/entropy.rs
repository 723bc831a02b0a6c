//! Randomness that repeats itself.

use std::sync::{Mutex, PoisonError};

use auth_core::port::Entropy;
use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng};

/// The same bytes for the same seed, on every machine and in every release: for snapshots.
///
/// Anybody can predict it. It belongs into tests only.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<ChaCha12Rng>);

impl SeededEntropy {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha12Rng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
