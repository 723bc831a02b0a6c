//! The conformance suite of whatever keeps the first reply to a request: every store, and what stands in for one.

use std::sync::Arc;

use auth_core::domain::{Mac, Sealed, Timestamp};
use auth_core::port::{Claim, Claimed, Idempotency};

use crate::given::{self, DAY, HOUR, MINUTE, NOW, TICK};
use crate::race::race;

/// Makes a test of every check of [`Idempotency`].
///
/// Takes the name of an `async fn() -> Arc<S>`, where `S` implements the port, in the module that calls it. Part of
/// [`store_suite!`](crate::store_suite); for what implements only this port.
///
/// ```
/// mod conformance {
///     use std::sync::Arc;
///
///     use auth_testkit::MemoryStore;
///
///     async fn open() -> Arc<MemoryStore> {
///         Arc::default()
///     }
///
///     auth_testkit::idempotency_suite!(open);
/// }
/// ```
#[macro_export]
macro_rules! idempotency_suite {
    ($make:ident) => {
        mod idempotency {
            $crate::__idempotency_checks! { $make }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __idempotency_checks {
    ($make:ident) => {
        $crate::__checks! { $make, Idempotency, [idempotency],
            first_claim_is_fresh
            finished_is_replayed
            released_is_free
            crashed_claim_frees_the_key
            reply_expires
            lost_claim_changes_nothing
            finished_late_is_kept
            id1_claim_race_has_one_winner
            id1_crashed_claim_race_has_one_winner
        }
    };
}

/// The first claim of a key is fresh; later ones hear of it, and of its fingerprint, while it is under way.
pub async fn first_claim_is_fresh(replies: &Arc<dyn Idempotency>) {
    let first = given::claimed();
    fresh(replies, &first, NOW).await;
    let second = Claimed { key: first.key, ..given::claimed() };
    in_progress(replies, &second, NOW, &first.fingerprint).await;
    fresh(replies, &given::claimed(), NOW).await;
}

/// The reply of a finished request comes back as it was kept, with the fingerprint of the request that caused it.
pub async fn finished_is_replayed(replies: &Arc<dyn Idempotency>) {
    for reply in [given::sealed(), Sealed::from_bytes([]), Sealed::from_bytes(vec![0xff; 20_000])] {
        let first = given::claimed();
        fresh(replies, &first, NOW).await;
        replies.finish(&first.key, first.claim, &reply).await.unwrap();
        let second = Claimed { key: first.key, ..given::claimed() };
        for now in [NOW, NOW + HOUR] {
            finished(replies, &second, now, &first.fingerprint, &reply).await;
        }
    }
}

/// A released key is free at once.
pub async fn released_is_free(replies: &Arc<dyn Idempotency>) {
    let first = given::claimed();
    fresh(replies, &first, NOW).await;
    replies.release(&first.key, first.claim).await.unwrap();
    let second = Claimed { key: first.key, ..given::claimed() };
    fresh(replies, &second, NOW).await;
    in_progress(replies, &first, NOW, &second.fingerprint).await;
}

/// ID1: a claim that wasn't finished frees the key at the instant it said, and not before.
pub async fn crashed_claim_frees_the_key(replies: &Arc<dyn Idempotency>) {
    let first = Claimed { claimed_until: NOW + MINUTE, ..given::claimed() };
    fresh(replies, &first, NOW).await;
    let second = Claimed { key: first.key, claimed_until: NOW + HOUR, ..given::claimed() };
    in_progress(replies, &second, (NOW + MINUTE).before(TICK), &first.fingerprint).await;
    fresh(replies, &second, NOW + MINUTE).await;
    in_progress(replies, &first, NOW + MINUTE, &second.fingerprint).await;

    // From then on it is the second one's key, and its reply is what is kept.
    let reply = given::sealed();
    replies.finish(&second.key, second.claim, &reply).await.unwrap();
    finished(replies, &first, NOW + MINUTE, &second.fingerprint, &reply).await;
}

/// A kept reply is forgotten at the instant it expires, and not before.
pub async fn reply_expires(replies: &Arc<dyn Idempotency>) {
    let first = Claimed { expires_at: NOW + DAY, ..given::claimed() };
    let reply = given::sealed();
    fresh(replies, &first, NOW).await;
    replies.finish(&first.key, first.claim, &reply).await.unwrap();
    let (claimed_until, expires_at) = (NOW + 2 * DAY, NOW + 3 * DAY);
    let second = Claimed { key: first.key, claimed_until, expires_at, ..given::claimed() };
    finished(replies, &second, (NOW + DAY).before(TICK), &first.fingerprint, &reply).await;
    fresh(replies, &second, NOW + DAY).await;
    in_progress(replies, &first, NOW + DAY, &second.fingerprint).await;
}

/// Who has lost a claim neither finishes nor frees what the next one holds.
pub async fn lost_claim_changes_nothing(replies: &Arc<dyn Idempotency>) {
    let lost = Claimed { claimed_until: NOW + MINUTE, ..given::claimed() };
    fresh(replies, &lost, NOW).await;
    let holder = Claimed { key: lost.key, claimed_until: NOW + HOUR, ..given::claimed() };
    fresh(replies, &holder, NOW + MINUTE).await;
    for claim in [lost.claim, given::id()] {
        replies.finish(&lost.key, claim, &given::sealed()).await.unwrap();
        replies.release(&lost.key, claim).await.unwrap();
        in_progress(replies, &lost, NOW + MINUTE, &holder.fingerprint).await;
    }
    let reply = given::sealed();
    replies.finish(&holder.key, holder.claim, &reply).await.unwrap();
    replies.finish(&holder.key, lost.claim, &given::sealed()).await.unwrap();
    replies.release(&holder.key, lost.claim).await.unwrap();
    finished(replies, &lost, NOW + HOUR, &holder.fingerprint, &reply).await;

    // Nor is there anything to do about a key that nobody claimed.
    let unknown = given::claimed();
    replies.finish(&unknown.key, unknown.claim, &reply).await.unwrap();
    replies.release(&unknown.key, unknown.claim).await.unwrap();
    fresh(replies, &unknown, NOW).await;
}

/// A request that took longer than it said, but whose key nobody else has claimed, keeps its reply.
pub async fn finished_late_is_kept(replies: &Arc<dyn Idempotency>) {
    let first = Claimed { claimed_until: NOW + TICK, ..given::claimed() };
    let reply = given::sealed();
    fresh(replies, &first, NOW).await;
    replies.finish(&first.key, first.claim, &reply).await.unwrap();
    let second = Claimed { key: first.key, ..given::claimed() };
    finished(replies, &second, NOW + HOUR, &first.fingerprint, &reply).await;
}

/// ID1: of 50 racing claims of one key one is fresh; the others hear of it.
pub async fn id1_claim_race_has_one_winner(replies: &Arc<dyn Idempotency>) {
    claim_race(replies, given::claimed(), NOW).await;
}

/// ID1: so it is where the key was claimed before by somebody who crashed.
pub async fn id1_crashed_claim_race_has_one_winner(replies: &Arc<dyn Idempotency>) {
    let crashed = Claimed { claimed_until: NOW + MINUTE, ..given::claimed() };
    fresh(replies, &crashed, NOW).await;
    let next = Claimed { claimed_until: NOW + HOUR, ..crashed };
    claim_race(replies, next, NOW + MINUTE).await;
}

async fn claim_race(replies: &Arc<dyn Idempotency>, template: Claimed, now: Timestamp) {
    let requests: Vec<Claimed> =
        (0..50).map(|_| Claimed { claim: given::id(), fingerprint: given::mac(), ..template.clone() }).collect();
    let outcomes = race(50, |i| {
        let (replies, request) = (replies.clone(), requests[i].clone());
        async move { replies.claim(&request, now).await.unwrap() }
    })
    .await;
    let is_fresh = |claim: &Claim| matches!(claim, Claim::Fresh);
    let winners: Vec<usize> = (0..50).filter(|&i| is_fresh(&outcomes.0[i])).collect();
    let [winner] = winners[..] else { panic!("one fresh claim expected, not {winners:?}") };
    for claim in outcomes.0.iter().filter(|claim| !is_fresh(claim)) {
        let Claim::InProgress { fingerprint } = claim else { panic!("{claim:?}") };
        assert!(fingerprint.matches(&requests[winner].fingerprint));
    }
    // The claim that is kept is the winner's.
    replies.release(&template.key, requests[winner].claim).await.unwrap();
    fresh(replies, &requests[winner], now).await;
}

async fn fresh(replies: &Arc<dyn Idempotency>, request: &Claimed, now: Timestamp) {
    let claim = replies.claim(request, now).await.unwrap();
    assert!(matches!(claim, Claim::Fresh), "a fresh claim expected, not {claim:?}");
}

async fn in_progress(replies: &Arc<dyn Idempotency>, request: &Claimed, now: Timestamp, of: &Mac) {
    let claim = replies.claim(request, now).await.unwrap();
    let Claim::InProgress { fingerprint } = claim else { panic!("a claim under way expected, not {claim:?}") };
    assert!(fingerprint.matches(of), "the fingerprint of the request under way");
}

async fn finished(replies: &Arc<dyn Idempotency>, request: &Claimed, now: Timestamp, of: &Mac, kept: &Sealed) {
    let claim = replies.claim(request, now).await.unwrap();
    let Claim::Finished { fingerprint, reply } = claim else { panic!("a kept reply expected, not {claim:?}") };
    assert!(fingerprint.matches(of), "the fingerprint of the first request");
    assert!(reply == *kept, "the reply that was kept");
}
