//! Whether what the nodes share can be reached.

use super::{Facts, Findings};

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    #[cfg(feature = "redis")]
    if facts.config.shared.as_ref().is_some_and(|shared| shared.url.is_exposed()) {
        findings.warning(
            "redis-transport",
            [
                "REDIS_URL leads across the network without TLS",
                "Whoever sits between reads its password, and can empty what is counted.",
                "Begin it with rediss://.",
            ],
        );
    }
    if let Some(Err(error)) = &facts.shared {
        findings.error(
            "redis",
            [
                &format!("the nodes can't count together: {error}"),
                "Every node counts for itself: with n nodes, passwords can be guessed n times as often.",
                "Check REDIS_URL, whether this machine may connect there, and whether Redis has memory left.",
            ],
        );
    }
}
