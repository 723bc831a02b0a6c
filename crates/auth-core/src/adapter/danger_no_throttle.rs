//! A throttle that is switched off.

use async_trait::async_trait;

use crate::domain::Timestamp;
use crate::port::{Limit, Taken, Throttle, ThrottleKey};

/// Allows everything, for load tests. The attempts of a code and the bound on hashing stay.
#[derive(Debug, Clone, Copy, Default)]
pub struct DangerNoThrottle;

#[async_trait]
impl Throttle for DangerNoThrottle {
    async fn take(&self, _: ThrottleKey, limit: Limit, _: Timestamp) -> Taken {
        Taken { allowed: true, remaining: limit.uses, reset: limit.window }
    }

    async fn give_back(&self, _: ThrottleKey, _: Timestamp) {}

    async fn clear(&self, _: ThrottleKey) {}
}
