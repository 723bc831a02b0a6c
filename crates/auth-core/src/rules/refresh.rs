//! What a presented refresh token means.

use std::time::Duration;

use crate::domain::{RefreshState, Timestamp};

/// The verdict on a genuine token of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The current token: hand out its successor.
    Rotate,
    /// The one just replaced, so soon that a second tab or a retried request explains it: refuse, and nothing else.
    JustReplaced,
    /// An earlier one: two parties hold tokens of this session, and one of them stole it.
    Reused,
    /// The current one, but too old; or one the store doesn't know yet (a restored backup): refuse, and nothing else.
    Dead,
}

/// Judges the token of `presented` counter against the session's state at `now` (RFC 9700 §4.14.2).
pub fn judge(presented: u32, state: &RefreshState, ttl: Duration, leeway: Duration, now: Timestamp) -> Verdict {
    match state.counter.checked_sub(presented) {
        Some(0) if now < state.rotated_at + ttl => Verdict::Rotate,
        // A clock set back makes `now` earlier than the rotation, never the token younger than its replacement.
        Some(1) if now < state.rotated_at + leeway => Verdict::JustReplaced,
        Some(0) | None => Verdict::Dead,
        Some(_) => Verdict::Reused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(1000);
    const LEEWAY: Duration = Duration::from_secs(10);

    fn judged(presented: u32, after: u64) -> Verdict {
        let at = Timestamp::from_seconds(50_000);
        let state = RefreshState { salt: [0; 16], counter: 3, rotated_at: at };
        judge(presented, &state, TTL, LEEWAY, at + Duration::from_secs(after))
    }

    // RR1, RR2, VT2: each counter, at both edges of both deadlines.
    #[test]
    fn rr2_verdicts() {
        assert_eq!(judged(3, 0), Verdict::Rotate);
        assert_eq!(judged(3, 999), Verdict::Rotate);
        assert_eq!(judged(3, 1000), Verdict::Dead);
        assert_eq!(judged(2, 0), Verdict::JustReplaced);
        assert_eq!(judged(2, 9), Verdict::JustReplaced);
        assert_eq!(judged(2, 10), Verdict::Reused);
        assert_eq!(judged(1, 0), Verdict::Reused);
        assert_eq!(judged(0, 2000), Verdict::Reused);
        assert_eq!(judged(4, 0), Verdict::Dead);
    }
}
