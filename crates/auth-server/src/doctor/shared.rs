//! Whether what the nodes share can be reached.

use super::{Facts, Findings};

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
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
