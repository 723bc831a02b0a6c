//! How long things live, and when revoking them counts.

use std::time::Duration;

use auth_core::settings::{AccessCheck, ExistingAddress, Lifetimes, Reuse, SecondFactor};
use auth_http::{Delivery, Profile};

use super::{Facts, Findings};
use crate::config::Config;

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    cookies(&facts.config, findings);
    registration(&facts.config, findings);
    second_step(&facts.config, findings);
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

fn cookies(config: &Config, findings: &mut Findings) {
    let (secrets, in_cookies) = (Delivery::SessionCookie, |profile: &&Profile| profile.delivery != Delivery::Body);
    // Names are settings of the one kind only; what is set besides is set for all.
    let first = config.profiles.iter().find(|profile| profile.delivery == secrets);
    let Some(profile) = first.or_else(|| config.profiles.iter().find(in_cookies)) else { return };
    let (cookies, usual) = (&profile.cookies, Profile::sessions().session_max.unwrap_or_default());
    if let Some(max) = profile.session_max.filter(|max| *max > usual) {
        let found = format!("SESSION_TTL_DAYS is {}, longer than the default of 7", max.as_secs() / 86_400);
        let meaning = "A stolen session cookie that is used is good for that long.";
        findings.warning("lifetimes", [&found, meaning, "Shorten it, unless your users need it so."]);
    }
    if let Some(domain) = &cookies.domain {
        findings.warning(
            "cookies",
            [
                &format!("COOKIE_DOMAIN is {domain}"),
                "Every host below it is sent the session, and each can plant a cookie that keeps users out.",
                "Leave it out, unless several of your own hosts need the session.",
            ],
        );
    } else if profile.delivery == secrets && config.public_url.as_deref().is_some_and(|url| url.starts_with("https:")) {
        let is_open = |name: &Option<String>| name.as_ref().is_some_and(|name| !name.starts_with("__Host-"));
        if is_open(&cookies.session) || is_open(&cookies.csrf) {
            findings.note(
                "cookies",
                [
                    "SESSION_COOKIE_NAME or CSRF_COOKIE_NAME doesn't begin with __Host-",
                    "Another host of your domain can plant a cookie of that name, which keeps users out.",
                    "Begin the names with __Host-, or leave them out.",
                ],
            );
        }
    }
}

/// A password opens a session at the one, and what the other demands is no hurdle.
fn second_step(config: &Config, findings: &mut Findings) {
    let demands = |profile: &&Profile| profile.second_factor == Some(SecondFactor::EmailRequired);
    if let Some(profile) = config.profiles.iter().find(|profile| !demands(profile))
        && config.profiles.iter().any(|profile| demands(&profile))
    {
        findings.warning(
            "second-step",
            [
                &format!("profile {} lets in by password alone, and another demands a second step", profile.name),
                "Whoever knows a password signs in at the one that asks for no more.",
                "Set AUTH_MFA=email-required.",
            ],
        );
    }
}

/// One profile that tells who has an account tells it for all.
fn registration(config: &Config, findings: &mut Findings) {
    let conceals = |profile: &&Profile| profile.existing_address == ExistingAddress::Conceal;
    if let Some(profile) = config.profiles.iter().find(|profile| !conceals(profile))
        && config.profiles.iter().any(|profile| conceals(&profile))
    {
        findings.warning(
            "registration",
            [
                &format!("profile {} answers a taken address with 409, and another conceals it", profile.name),
                "Whoever wants to know who has an account asks the one that tells.",
                "Set AUTH_REGISTER_EXISTING=conceal.",
            ],
        );
    }
}
