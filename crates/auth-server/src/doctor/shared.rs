//! Whether what the nodes share can be reached.

use super::{Facts, Findings};

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    #[cfg(feature = "redis")]
    if facts.config.shared.as_ref().is_some_and(|shared| shared.url.is_exposed()) {
        findings.warning(
            "redis-transport",
            [
                "REDIS_URL leads across the network without TLS",
                "Whoever sits between reads its password, who is signed in, and can sign in as anybody.",
                "Begin it with rediss://.",
            ],
        );
    }
    if let Some(Err(error)) = &facts.shared {
        findings.error(
            "redis",
            [
                &format!("Redis can't be used: {error}"),
                "Every node counts for itself: with n nodes, passwords can be guessed n times as often. The database is asked \
                 with every request, and requests with an Idempotency-Key are answered with 503.",
                "Check REDIS_URL, whether this machine may connect there, what Redis lets the user do, and whether it has memory \
                 left.",
            ],
        );
    }
}
