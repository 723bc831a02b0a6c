//! Checks that can't share: the outbox is one queue, a sweep goes over everything, and the last admin is the last of all.

use std::sync::Arc;
use std::time::Duration;

use auth_core::adapter::SystemClock;
use auth_core::domain::{LeaseId, Timestamp};
use auth_core::port::{Clock, Store};

use crate::given::{self, DAY, HOUR};

/// The year in which sweeps happen: nothing that other checks store is over by then.
pub(super) const SWEEP_TIME: Timestamp = Timestamp::from_seconds(315_532_800);

/// The year in which mail is leased: nothing that other checks enqueue is due by then, and no sweep gets there.
pub(super) const MAIL_TIME: Timestamp = Timestamp::from_seconds(978_307_200);

const TURN: &str = "conformance suite";
const LONGEST: Duration = Duration::from_secs(60);

/// Runs `check` while no other check of this kind runs on the store, whichever process it is in, with no mail due by
/// [`MAIL_TIME`], no dead letter to retry then, and nothing to sweep at [`SWEEP_TIME`].
pub(super) async fn alone(store: &Arc<dyn Store>, check: impl AsyncFnOnce()) {
    let holder = given::id();
    // Real time: the turn of a check that failed has to pass.
    let clock = SystemClock::new();
    while !store.acquire(TURN, holder, clock.now(), clock.now() + LONGEST).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    clear(store, holder).await;
    check().await;
    store.acquire(TURN, holder, clock.now(), clock.now()).await.unwrap();
}

/// Takes away what checks that failed have left.
async fn clear(store: &Arc<dyn Store>, lease: LeaseId) {
    let year = 365 * DAY;
    // Dead letters too: they could be retried.
    store.retry_mail(None, MAIL_TIME).await.unwrap();
    loop {
        let left = store.lease_mail(lease, MAIL_TIME + year, MAIL_TIME + year + HOUR, 100).await.unwrap();
        for mail in &left {
            store.settle_mail(mail.mail.id, lease).await.unwrap();
        }
        if left.is_empty() {
            break;
        }
    }
    while store.sweep(SWEEP_TIME + year, SWEEP_TIME + year, 1000).await.unwrap() > 0 {}
}
