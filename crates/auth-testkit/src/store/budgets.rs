//! Budgets: failures counted per account, over all records and nodes.

use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::{Budget, Subject, Timestamp};
use auth_core::port::{Change, Rejected, Store};

use super::{done, rejected};
use crate::given::{self, DAY, HOUR, MINUTE, NOW, TICK};
use crate::race::race;

/// VT6: a budget allows exactly its limit in a window, and a limit of none nothing.
pub async fn vt6_limit_is_exact(store: &Arc<dyn Store>) {
    let user = Subject::from(given::registered(&**store).await.id);
    for _ in 0..5 {
        done(store, &[charge(user, 5, HOUR, NOW)]).await;
    }
    for limit in [5, 4, 0] {
        assert_eq!(rejected(store, &[charge(user, limit, HOUR, NOW)]).await, Rejected::Budget);
    }
    // What was refused wasn't counted.
    done(store, &[charge(user, 6, HOUR, NOW)]).await;

    let fresh = Subject::from(given::registered(&**store).await.id);
    assert_eq!(rejected(store, &[charge(fresh, 0, HOUR, NOW)]).await, Rejected::Budget);
    done(store, &[charge(fresh, u32::MAX, HOUR, NOW)]).await;
}

/// VT6: of 50 racing uses with a limit of 7, exactly 7 are allowed, the very first of a window among them.
pub async fn vt6_charge_race_is_exact(store: &Arc<dyn Store>) {
    let user = Subject::from(given::registered(&**store).await.id);
    // The second round races for the window that follows the first one's.
    for at in [NOW, NOW + HOUR] {
        let outcomes = race(50, |_| {
            let store = store.clone();
            async move { store.commit(&[charge(user, 7, HOUR, at)]).await }
        })
        .await;
        assert_eq!(outcomes.winners().len(), 7, "{outcomes:?}");
        outcomes.losers_were_rejected(Rejected::Budget);
    }
}

/// A window begins with its first use and ends exactly its length later.
pub async fn window_ends_to_the_microsecond(store: &Arc<dyn Store>) {
    for (after, is_allowed) in [(HOUR - TICK, false), (HOUR, true), (HOUR + TICK, true)] {
        let user = Subject::from(given::registered(&**store).await.id);
        done(store, &[charge(user, 2, HOUR, NOW)]).await;
        // Later uses don't move the window.
        done(store, &[charge(user, 2, HOUR, NOW + 30 * MINUTE)]).await;
        let next = store.commit(&[charge(user, 2, HOUR, NOW + after)]).await;
        assert_eq!(next.is_ok(), is_allowed, "{after:?}: {next:?}");
        if is_allowed {
            // A whole new window, from that use on.
            done(store, &[charge(user, 2, HOUR, (NOW + after + HOUR).before(TICK))]).await;
            let again = [charge(user, 2, HOUR, (NOW + after + HOUR).before(TICK))];
            assert_eq!(rejected(store, &again).await, Rejected::Budget);
            done(store, &[charge(user, 2, HOUR, NOW + after + HOUR)]).await;
        }
    }
}

/// DF6: a clock set back opens no new window.
pub async fn df6_clock_set_back_gives_nothing(store: &Arc<dyn Store>) {
    let user = Subject::from(given::registered(&**store).await.id);
    done(store, &[charge(user, 1, HOUR, NOW)]).await;
    for at in [NOW.before(TICK), NOW.before(5 * MINUTE), NOW.before(2 * HOUR)] {
        assert_eq!(rejected(store, &[charge(user, 1, HOUR, at)]).await, Rejected::Budget);
    }
}

/// Windows of different lengths count apart; a use that one of them refuses counts in none.
pub async fn windows_count_apart(store: &Arc<dyn Store>) {
    let user = Subject::from(given::registered(&**store).await.id);
    let both = |at| [charge(user, 3, DAY, at), charge(user, 2, HOUR, at)];
    done(store, &both(NOW)).await;
    done(store, &both(NOW)).await;
    assert_eq!(rejected(store, &both(NOW)).await, Rejected::Budget);
    done(store, &both(NOW + HOUR)).await;
    assert_eq!(rejected(store, &both(NOW + HOUR)).await, Rejected::Budget);
    done(store, &[charge(user, 2, HOUR, NOW + HOUR)]).await;
}

/// Budgets and users count apart.
pub async fn budgets_count_apart(store: &Arc<dyn Store>) {
    let (user, other) =
        (Subject::from(given::registered(&**store).await.id), Subject::from(given::registered(&**store).await.id));
    let of = |user, budget| [Change::Charge { subject: user, budget, limit: 1, window: HOUR, at: NOW }];
    for user in [user, other] {
        for budget in [Budget::VerifyCode, Budget::ResetCode, Budget::ChangeCode] {
            done(store, &of(user, budget)).await;
            assert_eq!(rejected(store, &of(user, budget)).await, Rejected::Budget);
        }
    }
}

/// VT6: an address without an account is counted like an account, apart from every account and other address.
pub async fn vt6_addresses_count_apart(store: &Arc<dyn Store>) {
    let digest = given::digest();
    let (address, other) = (Subject::of_address(&digest), Subject::of_address(&given::digest()));
    let user = Subject::from(given::registered(&**store).await.id);
    for subject in [address, other, user] {
        done(store, &[charge(subject, 2, HOUR, NOW), charge(subject, 2, HOUR, NOW)]).await;
        assert_eq!(rejected(store, &[charge(subject, 2, HOUR, NOW)]).await, Rejected::Budget);
    }
    // The same address is the same subject, whoever computes it.
    assert_eq!(rejected(store, &[charge(Subject::of_address(&digest), 2, HOUR, NOW)]).await, Rejected::Budget);
    done(store, &[Change::Forgive { subject: address, budget: Budget::ResetCode }]).await;
    done(store, &[charge(address, 1, HOUR, NOW)]).await;
    for subject in [other, user] {
        assert_eq!(rejected(store, &[charge(subject, 2, HOUR, NOW)]).await, Rejected::Budget);
    }
}

/// Forgiving forgets a budget in every window, and no other.
pub async fn forgiving_forgets_one_budget(store: &Arc<dyn Store>) {
    let (user, other) =
        (Subject::from(given::registered(&**store).await.id), Subject::from(given::registered(&**store).await.id));
    let of = |user, budget, window| [Change::Charge { subject: user, budget, limit: 1, window, at: NOW }];
    for (user, budget, window) in [
        (user, Budget::VerifyCode, HOUR),
        (user, Budget::VerifyCode, DAY),
        (user, Budget::ResetCode, HOUR),
        (other, Budget::VerifyCode, HOUR),
    ] {
        done(store, &of(user, budget, window)).await;
    }
    done(store, &[Change::Forgive { subject: user, budget: Budget::VerifyCode }]).await;
    done(store, &of(user, Budget::VerifyCode, HOUR)).await;
    done(store, &of(user, Budget::VerifyCode, DAY)).await;
    assert_eq!(rejected(store, &of(user, Budget::ResetCode, HOUR)).await, Rejected::Budget);
    assert_eq!(rejected(store, &of(other, Budget::VerifyCode, HOUR)).await, Rejected::Budget);

    // Forgiving what was never used is nothing special.
    done(store, &[Change::Forgive { subject: other, budget: Budget::ResetCode }]).await;
}

fn charge(subject: Subject, limit: u32, window: Duration, at: Timestamp) -> Change {
    Change::Charge { subject, budget: Budget::ResetCode, limit, window, at }
}
