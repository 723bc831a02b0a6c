//! The throttle suite, on the smallest throttle that passes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use auth_core::domain::Timestamp;
use auth_core::port::{Limit, Taken, Throttle, ThrottleKey};

#[derive(Debug, Default)]
struct Table(Mutex<HashMap<ThrottleKey, (Timestamp, u32)>>);

#[async_trait]
impl Throttle for Table {
    async fn take(&self, key: ThrottleKey, limit: Limit, now: Timestamp) -> Taken {
        let mut table = self.0.lock().unwrap();
        let (ends_at, used) = table.entry(key).or_insert((now + limit.window, 0));
        if *ends_at <= now {
            (*ends_at, *used) = (now + limit.window, 0);
        }
        let allowed = *used < limit.uses;
        *used += u32::from(allowed);
        Taken { allowed, remaining: limit.uses.saturating_sub(*used), reset: ends_at.since(now) }
    }

    async fn give_back(&self, key: ThrottleKey, _: Timestamp) {
        if let Some((_, used)) = self.0.lock().unwrap().get_mut(&key) {
            *used = used.saturating_sub(1);
        }
    }

    async fn clear(&self, key: ThrottleKey) {
        self.0.lock().unwrap().remove(&key);
    }
}

async fn open() -> Arc<Table> {
    Arc::default()
}

auth_testkit::throttle_suite!(open);
