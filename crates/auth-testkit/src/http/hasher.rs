//! The hasher of the suite: fails when told to.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use auth_core::domain::{Password, PasswordHash};
use auth_core::port::{HashError, PasswordHasher, Verdict};

use crate::FastHasher;

/// A [`FastHasher`] that panics when told to, as code with a mistake in it does.
#[derive(Debug, Default)]
pub struct TestHasher {
    fast: FastHasher,
    behaviour: Mutex<Behaviour>,
}

/// What a [`TestHasher`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// Hashes.
    #[default]
    Work,
    /// Refuses: its queue is full.
    Busy,
    /// Panics.
    Panic,
}

impl TestHasher {
    /// Behaves so from now on.
    pub fn set(&self, behaviour: Behaviour) {
        self.fast.set_busy(behaviour == Behaviour::Busy);
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// How many passwords were hashed or verified since the last time.
    pub fn take(&self) -> usize {
        self.fast.take()
    }

    fn enter(&self) -> &FastHasher {
        let behaviour = *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(behaviour != Behaviour::Panic, "the hasher panics, as the check told it to");
        &self.fast
    }
}

#[async_trait]
impl PasswordHasher for TestHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        self.enter().hash(password).await
    }

    async fn verify(&self, password: &Password, hash: Option<PasswordHash>) -> Result<Verdict, HashError> {
        self.enter().verify(password, hash).await
    }
}
