//! How long things live, and when revoking them counts.

use std::time::Duration;

use auth_core::settings::{AccessCheck, Lifetimes, Reuse};

use super::{Facts, Findings};

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    let (config, usual) = (&facts.config, Lifetimes::default());
    let set = &config.lifetimes;
    let lifetimes: [(_, Duration, Duration, _); 5] = [
        ("AUTH_ACCESS_TTL", set.access, usual.access, "A stolen access token is good for that long."),
        (
            "AUTH_REFRESH_TTL",
            set.refresh,
            usual.refresh,
            "A stolen refresh token that nobody uses is good for that long.",
        ),
        ("AUTH_SESSION_IDLE", set.idle, usual.idle, "A session left open is anybody's for that long."),
        ("AUTH_SESSION_MAX", set.max, usual.max, "A stolen session that is used is good for that long."),
        (
            "AUTH_REUSE_LEEWAY",
            set.reuse_leeway,
            usual.reuse_leeway,
            "A refresh token that was stolen and used at once is not taken for stolen for that long.",
        ),
    ];
    for (name, set, usual, meaning) in lifetimes {
        if set > usual {
            let found = format!("{name} is {} s, longer than the default of {} s", set.as_secs(), usual.as_secs());
            findings.warning("lifetimes", [&found, meaning, "Shorten it, unless your users need it so."]);
        }
    }
    if config.access_check == AccessCheck::Stateless {
        findings.warning(
            "access-check",
            [
                "AUTH_ACCESS_CHECK is stateless",
                "Sign-out, suspension and changes of roles count, for reading, only when the access token expires.",
                "Set it to session: the check is one read.",
            ],
        );
    }
    if config.reuse == Reuse::Resume {
        findings.note(
            "reuse",
            [
                "AUTH_REUSE is resume",
                "Whoever steals a refresh token and is fast shares the session, instead of being noticed.",
                "Set it to refuse, unless clients lose replies.",
            ],
        );
    }
}
