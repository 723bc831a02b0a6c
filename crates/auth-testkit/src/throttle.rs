//! The conformance suite of throttles.

use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::Timestamp;
use auth_core::port::{Limit, Taken, Throttle, ThrottleKey};

use crate::given::{self, DAY, HOUR, MINUTE, NOW, TICK};
use crate::race::race;

/// Makes a test of every check of [`Throttle`].
///
/// Takes the name of an `async fn() -> Arc<T>`, where `T` implements the port, in the module that calls it. The throttle
/// may be a new one each time or always the same.
///
/// ```
/// mod conformance {
///     use std::sync::Arc;
///
///     use auth_core::adapter::LocalThrottle; // yours
///
///     async fn open() -> Arc<LocalThrottle> {
///         Arc::default()
///     }
///
///     auth_testkit::throttle_suite!(open);
/// }
/// ```
#[macro_export]
macro_rules! throttle_suite {
    ($make:ident) => {
        mod throttle {
            $crate::__checks! { $make, Throttle, [throttle],
                rl2_limit_is_exact
                rl2_race_is_exact
                rl2_race_for_the_next_window_is_exact
                refused_is_not_counted
                window_ends_to_the_microsecond
                df6_clock_set_back_gives_nothing
                keys_count_apart
                given_back_is_not_counted
                giving_back_never_makes_credit
                cleared_is_forgotten
                no_uses_allow_nothing
                limits_may_be_large
                limit_may_change
            }
        }
    };
}

/// RL2: exactly as many uses are allowed as the limit says, each told what is left and until when.
pub async fn rl2_limit_is_exact(throttle: &Arc<dyn Throttle>) {
    let (key, limit) = (key(), Limit { uses: 3, window: HOUR });
    for remaining in [2, 1, 0] {
        let taken = throttle.take(key, limit, NOW).await;
        assert_eq!(taken, Taken { allowed: true, remaining, reset: HOUR });
    }
    for minutes in [0, 1, 59] {
        let taken = throttle.take(key, limit, NOW + minutes * MINUTE).await;
        assert_eq!(taken, Taken { allowed: false, remaining: 0, reset: HOUR - minutes * MINUTE });
    }
}

/// RL2: of 200 racing uses with a limit of 20, exactly 20 are allowed, and no two are told the same.
pub async fn rl2_race_is_exact(throttle: &Arc<dyn Throttle>) {
    race_is_exact(throttle, key(), NOW).await;
}

/// RL2: so it is for the window that follows a used-up one.
pub async fn rl2_race_for_the_next_window_is_exact(throttle: &Arc<dyn Throttle>) {
    let key = key();
    race_is_exact(throttle, key, NOW).await;
    race_is_exact(throttle, key, NOW + HOUR).await;
}

/// A refused use isn't counted: not after a use was given back, nor does it move the window.
pub async fn refused_is_not_counted(throttle: &Arc<dyn Throttle>) {
    let (key, limit) = (key(), Limit { uses: 2, window: HOUR });
    allow(throttle, key, limit, 2, Duration::ZERO).await;
    for minutes in 0..20 {
        assert!(!throttle.take(key, limit, NOW + minutes * MINUTE).await.allowed);
    }
    throttle.give_back(key, NOW + 20 * MINUTE).await;
    allow(throttle, key, limit, 1, 21 * MINUTE).await;
    allow(throttle, key, limit, 2, HOUR).await;
}

/// A window begins with its first use and ends exactly its length later.
pub async fn window_ends_to_the_microsecond(throttle: &Arc<dyn Throttle>) {
    let limit = Limit { uses: 2, window: HOUR };
    for (after, is_allowed) in [(HOUR - TICK, false), (HOUR, true), (HOUR + TICK, true)] {
        let key = key();
        assert!(throttle.take(key, limit, NOW).await.allowed);
        assert!(throttle.take(key, limit, NOW + 30 * MINUTE).await.allowed);
        let taken = throttle.take(key, limit, NOW + after).await;
        assert_eq!(taken.allowed, is_allowed, "{after:?}");
        let (remaining, reset) = if is_allowed { (1, HOUR) } else { (0, TICK) };
        assert_eq!((taken.remaining, taken.reset), (remaining, reset), "{after:?}");
    }
}

/// DF6: a clock set back opens no new window, and the one there is still ends.
pub async fn df6_clock_set_back_gives_nothing(throttle: &Arc<dyn Throttle>) {
    let (key, limit) = (key(), Limit { uses: 1, window: HOUR });
    allow(throttle, key, limit, 1, Duration::ZERO).await;
    for back in [TICK, 5 * MINUTE, 2 * HOUR] {
        assert!(!throttle.take(key, limit, NOW.before(back)).await.allowed, "{back:?}");
    }
    allow(throttle, key, limit, 1, HOUR).await;
}

/// Subjects and scopes count apart, also where their texts run together.
pub async fn keys_count_apart(throttle: &Arc<dyn Throttle>) {
    let unique = given::bytes::<16>();
    let subject = |end: &[u8]| [&unique[..], end].concat();
    let limit = Limit { uses: 1, window: HOUR };
    let keys = [
        ThrottleKey::new("sign-in", &subject(b"a")),
        ThrottleKey::new("sign-in", &subject(b"b")),
        ThrottleKey::new("sign-in", &subject(b"A")),
        ThrottleKey::new("sign-in", &subject(b"a\0")),
        ThrottleKey::new("register", &subject(b"a")),
    ];
    for key in keys {
        allow(throttle, key, limit, 1, Duration::ZERO).await;
    }
}

/// A use given back may be used again.
pub async fn given_back_is_not_counted(throttle: &Arc<dyn Throttle>) {
    let (key, limit) = (key(), Limit { uses: 2, window: HOUR });
    for _ in 0..10 {
        let taken = throttle.take(key, limit, NOW).await;
        assert_eq!((taken.allowed, taken.remaining), (true, 1));
        throttle.give_back(key, NOW + MINUTE).await;
    }
    allow(throttle, key, limit, 2, MINUTE).await;
}

/// Giving back more than was taken, or after the window has ended, allows no more than the limit.
pub async fn giving_back_never_makes_credit(throttle: &Arc<dyn Throttle>) {
    let limit = Limit { uses: 2, window: HOUR };
    let unused = key();
    throttle.give_back(unused, NOW).await;
    allow(throttle, unused, limit, 2, Duration::ZERO).await;

    let emptied = key();
    assert!(throttle.take(emptied, limit, NOW).await.allowed);
    for _ in 0..3 {
        throttle.give_back(emptied, NOW).await;
    }
    allow(throttle, emptied, limit, 2, Duration::ZERO).await;

    let ended = key();
    allow(throttle, ended, limit, 2, Duration::ZERO).await;
    throttle.give_back(ended, NOW + HOUR).await;
    allow(throttle, ended, limit, 2, HOUR).await;
}

/// A cleared key starts anew, with a window of its own; others don't.
pub async fn cleared_is_forgotten(throttle: &Arc<dyn Throttle>) {
    let (first, second, limit) = (key(), key(), Limit { uses: 2, window: HOUR });
    for key in [first, second] {
        allow(throttle, key, limit, 2, Duration::ZERO).await;
    }
    throttle.clear(first).await;
    throttle.clear(key()).await;
    let taken = throttle.take(first, limit, NOW + MINUTE).await;
    assert_eq!(taken, Taken { allowed: true, remaining: 1, reset: HOUR });
    assert!(!throttle.take(second, limit, NOW + MINUTE).await.allowed);
}

/// A limit of no uses allows nothing.
pub async fn no_uses_allow_nothing(throttle: &Arc<dyn Throttle>) {
    let taken = throttle.take(key(), Limit { uses: 0, window: HOUR }, NOW).await;
    assert_eq!((taken.allowed, taken.remaining), (false, 0));
}

/// Limits use all of their 32 bits, windows may last a year.
pub async fn limits_may_be_large(throttle: &Arc<dyn Throttle>) {
    let limit = Limit { uses: u32::MAX, window: 365 * DAY };
    let taken = throttle.take(key(), limit, NOW).await;
    assert_eq!(taken, Taken { allowed: true, remaining: u32::MAX - 1, reset: limit.window });
}

/// A limit that is configured anew counts what was used before.
pub async fn limit_may_change(throttle: &Arc<dyn Throttle>) {
    let key = key();
    let limit = |uses| Limit { uses, window: HOUR };
    allow(throttle, key, limit(3), 3, Duration::ZERO).await;
    let lower = throttle.take(key, limit(2), NOW).await;
    assert_eq!((lower.allowed, lower.remaining), (false, 0));
    let higher = throttle.take(key, limit(5), NOW).await;
    assert_eq!((higher.allowed, higher.remaining), (true, 1));
}

async fn race_is_exact(throttle: &Arc<dyn Throttle>, key: ThrottleKey, now: Timestamp) {
    let limit = Limit { uses: 20, window: HOUR };
    let outcomes = race(200, |_| {
        let throttle = throttle.clone();
        async move { throttle.take(key, limit, now).await }
    })
    .await;
    let mut left: Vec<u32> = outcomes.0.iter().filter(|taken| taken.allowed).map(|taken| taken.remaining).collect();
    left.sort_unstable();
    assert_eq!(left, (0..20).collect::<Vec<_>>());
}

/// Expects exactly `uses` to be allowed at `after` from [`NOW`].
async fn allow(throttle: &Arc<dyn Throttle>, key: ThrottleKey, limit: Limit, uses: u32, after: Duration) {
    for use_ in 0..uses {
        assert!(throttle.take(key, limit, NOW + after).await.allowed, "use {use_} of {uses}");
    }
    assert!(!throttle.take(key, limit, NOW + after).await.allowed, "no more than {uses} uses");
}

fn key() -> ThrottleKey {
    ThrottleKey::new("check", &given::bytes::<16>())
}
