//! Whether the store can be used, and is the one that is meant.

use std::time::Duration;

use auth_core::domain::{Backlog, Timestamp};

use super::facts::{PepperState, StoreState};
use super::{Facts, Findings};
use crate::config::Database;

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    clock(facts.now, None, findings);
    transport(&facts.config.database, findings);
    match &facts.store {
        StoreState::New => findings.note(
            "store",
            [
                "the database isn't there yet",
                "It is made at the first start.",
                "Nothing; or check DATABASE_URL and the current folder, if it should be there.",
            ],
        ),
        StoreState::Away(error) => findings.error(
            "store",
            [
                &format!("the store doesn't answer: {error}"),
                "The server doesn't start, and one that runs answers 503.",
                "Check DATABASE_URL, and whether this machine may connect there.",
            ],
        ),
        StoreState::Outdated(missing) if matches!(facts.config.database, Database::Sqlite { .. }) => {
            let found = format!("the database lacks migrations: {}", missing.join(", "));
            findings.note("migrations", [&found, "They are applied at the next start.", "Back the database up first."]);
        }
        StoreState::Outdated(missing) => findings.error(
            "migrations",
            [
                &format!("the database lacks migrations: {}", missing.join(", ")),
                "This version of the server doesn't start.",
                "Run `auth-server migrate`.",
            ],
        ),
        StoreState::Ready { pepper, newest_event, backlog } => {
            self::pepper(*pepper, findings);
            clock(facts.now, *newest_event, findings);
            outbox(facts.now, backlog, findings);
        }
    }
}

fn pepper(state: PepperState, findings: &mut Findings) {
    const ADVICE: &str =
        "Restore the pepper that the store was used with, or give it in AUTH_PEPPER_OLD beside the new one.";
    let found = match state {
        PepperState::Fits => return,
        PepperState::Foreign => "the store was made under another pepper",
        PepperState::Missing => "the store was made under a pepper, and there is none",
    };
    findings.error("pepper", [found, "The server doesn't start: nobody could sign in.", ADVICE]);
}

fn outbox(now: Timestamp, backlog: &Backlog, findings: &mut Findings) {
    /// Longer than the longest pause between two attempts.
    const LATE: Duration = Duration::from_secs(600);
    let Backlog { queued, oldest, dead } = *backlog;
    if let Some(oldest) = oldest.filter(|oldest| now.since(*oldest) > LATE) {
        findings.warning(
            "outbox",
            [
                &format!("{queued} mails are waiting, the oldest since {}", oldest.to_rfc3339()),
                "No server is running that sends them, or the mail server doesn't take them.",
                "See `auth-server mail list --state queued` for the reason.",
            ],
        );
    }
    if dead > 0 {
        findings.warning("outbox", [
            &format!("{dead} mails of the last week were given up"),
            "Whom they were for never got them.",
            "See `auth-server mail list --state dead` for the reason, and send them again with `auth-server mail retry`.",
        ]);
    }
}

/// The clock, against when this was written and what others have written since.
fn clock(now: Timestamp, newest_event: Option<Timestamp>, findings: &mut Findings) {
    /// 2026-01-01.
    const WRITTEN: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
    /// More than synchronised clocks differ by.
    const TOLERANCE: Duration = Duration::from_secs(60);
    const MEANING: &str =
        "Sessions, tokens and throttles end too late or too early, and expired ones may come back to life.";
    const ADVICE: &str = "Set the clock, and keep it by NTP.";
    match newest_event {
        None if now < WRITTEN => {
            let found = format!("this machine's clock says {}", now.to_rfc3339());
            findings.error("clock", [&found, MEANING, ADVICE]);
        }
        Some(at) if at.since(now) > TOLERANCE => {
            let (at, now) = (at.to_rfc3339(), now.to_rfc3339());
            let found = format!("the store's newest event is of {at}, and this machine's clock says {now}");
            findings.error("clock", [&found, MEANING, ADVICE]);
        }
        _ => {}
    }
}

/// What the driver is told in the address: a server across the network must prove who it is.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn transport(database: &Database, findings: &mut Findings) {
    let Some(url) = database.url().and_then(|url| url::Url::parse(url.expose()).ok()) else { return };
    let (verified, advice) = match url.scheme() {
        "mysql" | "mariadb" => (["VERIFY_IDENTITY", "VERIFY_CA"], ["ssl-mode=VERIFY_IDENTITY", "ssl-ca"]),
        _ => (["verify-full", "verify-ca"], ["sslmode=verify-full", "sslrootcert"]),
    };
    let is_verified = url.query_pairs().any(|(name, value)| {
        matches!(&*name, "sslmode" | "ssl-mode") && verified.iter().any(|mode| value.eq_ignore_ascii_case(mode))
    });
    if !is_local(&url) && !is_verified {
        let [mode, certificate] = advice;
        findings.warning(
            "database-transport",
            [
                &format!("DATABASE_URL leads across the network without {mode}"),
                "Whoever sits between can pose as the database, and reads its password and everything in it.",
                &format!("Add ?{mode}, with {certificate} where the server's certificate needs one."),
            ],
        );
    }
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
fn is_local(url: &url::Url) -> bool {
    // A folder, or no host at all, is a socket of this machine.
    let is_folder = |host: &str| host.is_empty() || host.starts_with('/') || host.starts_with("%2F");
    let elsewhere = |name: &str| url.query_pairs().find_map(|(key, value)| (key == name).then_some(value));
    let is_here = || url.host_str().is_none_or(is_folder) || super::network::is_loopback(url);
    match url.scheme() {
        "mysql" | "mariadb" => elsewhere("socket").is_some() || is_here(),
        _ => elsewhere("host").map_or_else(is_here, |host| is_folder(&host)),
    }
}

#[cfg(not(any(feature = "mysql", feature = "postgres")))]
fn transport(_: &Database, _: &mut Findings) {}
