//! How large the pool is, what its hashes cost, and the keys they are made with.

use std::fmt;
use std::num::NonZeroUsize;
use std::thread;

use zeroize::Zeroizing;

use super::limits;
use crate::domain::KeyId;

/// How large the pool is and what its hashes cost.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// What a new hash costs.
    pub argon2: Argon2Settings,
    /// Threads that hash.
    pub threads: NonZeroUsize,
    /// Passwords that may wait.
    pub queue: NonZeroUsize,
}

/// As many threads as there are cores, and 64 waiting.
impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            argon2: Argon2Settings::default(),
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue: const { NonZeroUsize::new(64).unwrap() },
        }
    }
}

/// What an Argon2id hash costs: at least 19456 KiB in 2 passes (OWASP Password Storage Cheat Sheet, which meets every
/// row of ASVS 5.0 Appendix C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Settings {
    memory_kib: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

/// The settings are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArgon2Settings {
    /// Cheaper to attack than ASVS allows.
    #[error("Argon2id needs at least 19456 KiB of memory, 2 passes and 1 lane")]
    TooWeak,
    /// So costly that it is surely a slip: nobody waits that long for a sign-in.
    #[error("Argon2id takes at most 256 MiB (262144 KiB) of memory, 1 GiB over all passes, and 64 lanes here")]
    TooCostly,
}

impl Argon2Settings {
    /// `memory_kib` (m) KiB of memory, `passes` (t) over it, in `lanes` (p), which one thread works off in turn.
    ///
    /// # Errors
    /// [`InvalidArgon2Settings`] when that is too little or absurdly much.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, InvalidArgon2Settings> {
        if memory_kib < 19_456 || passes < 2 || lanes < 1 {
            Err(InvalidArgon2Settings::TooWeak)
        } else if !limits::allow_argon2(memory_kib, passes) || lanes > 64 {
            Err(InvalidArgon2Settings::TooCostly)
        } else {
            Ok(Self { memory_kib, passes, lanes })
        }
    }

    /// KiB of memory that a hash takes (m).
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }
}

/// m=19456, t=2, p=1.
impl Default for Argon2Settings {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// The keys of password hashes: one that makes them, and those that made them before.
pub struct PasswordKeys {
    /// Makes hashes, and verifies those it made.
    pub current: (KeyId, Zeroizing<[u8; 32]>),
    /// Verify only; what they made is outdated.
    pub old: Vec<(KeyId, Zeroizing<[u8; 32]>)>,
}

impl PasswordKeys {
    pub(super) fn find(&self, id: KeyId) -> Option<&[u8; 32]> {
        std::iter::once(&self.current).chain(&self.old).find(|(key, _)| *key == id).map(|(_, secret)| &**secret)
    }
}

impl fmt::Debug for PasswordKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let old: Vec<_> = self.old.iter().map(|(id, _)| id).collect();
        f.debug_struct("PasswordKeys").field("current", &self.current.0).field("old", &old).finish_non_exhaustive()
    }
}
