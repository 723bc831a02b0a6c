use std::path::PathBuf;

use auth_core::domain::{Backlog, Timestamp};

use super::facts::{PepperState, StoreState};
use super::files::SecretFile;
use super::machine::Machine;
use super::*;
use crate::config::{Config, Source};

const PEPPER: &str = "kX8sT2mV6qZ1wL9rB4nC7yD5gH3jF0pE";
const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const SECOND: i64 = 1_000_000;

/// A server that is set up as it should be, but for `settings`.
fn facts(settings: &[(&str, &str)]) -> Facts {
    let mut all = vec![("AUTH_LISTEN", "10.0.0.5:8080"), ("PUBLIC_URL", "https://auth.example.com")];
    all.extend([("FRONTEND_URL", "https://app.example.com"), ("AUTH_TRUSTED_PROXIES", "10.0.0.0/24")]);
    all.extend([("AUTH_PEPPER", PEPPER), ("SMTP_HOST", "smtp.example.com"), ("MAIL_FROM", "no-reply@example.com")]);
    all.retain(|(name, _)| settings.iter().all(|(other, _)| other != name));
    all.extend(settings);
    let mut source = Source::default();
    source.add_environment(all.into_iter().map(|(name, value)| (name.to_owned(), Ok::<_, ()>(value.to_owned()))));
    Facts {
        config: Config::parse(source).unwrap(),
        machine: Machine {
            memory: Some(1 << 30),
            hashing_threads: 4,
            hashing_memory: 19 << 20,
            open_files: Some(16_384),
        },
        store: StoreState::Ready { pepper: PepperState::Fits, newest_event: Some(NOW), backlog: Backlog::default() },
        mailer: Some(Ok(())),
        shared: None,
        files: Vec::new(),
        now: NOW,
    }
}

/// The severity and name of each finding.
fn found(facts: &Facts) -> Vec<(Severity, &'static str)> {
    examine(facts).iter().map(|finding| (finding.severity, finding.check)).collect()
}

#[test]
fn a_server_that_is_set_up_well_is_left_alone() {
    assert_eq!(examine(&facts(&[])), []);
}

#[test]
fn each_weak_setting_is_found() {
    use Severity::{Error, Note, Warning};
    type Settings<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(Settings<'_>, Severity, &str)] = &[
        (&[("PUBLIC_URL", ""), ("AUTH_LISTEN", "127.0.0.1:8080")], Warning, "development"),
        (&[("PUBLIC_URL", "http://auth.example.com:8080")], Error, "public-url"),
        (&[("FRONTEND_URL", "http://app.example.com")], Error, "frontend-url"),
        (&[("AUTH_ALLOWED_ORIGINS", "https://a.example,http://b.example")], Warning, "allowed-origins"),
        (&[("AUTH_TRUSTED_PROXIES", "")], Error, "proxies"),
        (&[("AUTH_TRUSTED_PROXIES", ""), ("PUBLIC_URL", "http://localhost:80")], Warning, "proxies"),
        (&[("AUTH_TRUSTED_PROXIES", "0.0.0.0/1")], Warning, "proxies"),
        (&[("AUTH_TRUSTED_PROXIES", "2000::/3")], Warning, "proxies"),
        (&[("AUTH_METRICS_LISTEN", "10.0.0.5:9464")], Note, "metrics"),
        (&[("AUTH_THROTTLE", "danger_off")], Error, "throttle"),
        (&[("AUTH_PEPPER", "")], Warning, "pepper"),
        (&[("AUTH_PEPPER_OLD", "mQ3vR7xN1zK5tJ9bW2sG6cM0hY4fL8dA")], Note, "old-pepper"),
        (&[("JWT_SECRET", "mQ3vR7xN1zK5tJ9bW2sG6cM0hY4fL8dA")], Warning, "signing"),
        (&[("AUTH_ACCESS_TTL", "901")], Warning, "lifetimes"),
        (&[("AUTH_REFRESH_TTL", "604801")], Warning, "lifetimes"),
        (&[("AUTH_SESSION_IDLE", "604801")], Warning, "lifetimes"),
        (&[("AUTH_SESSION_MAX", "2592001")], Warning, "lifetimes"),
        (&[("AUTH_REUSE_LEEWAY", "11")], Warning, "lifetimes"),
        (&[("AUTH_PROFILE", "sessions"), ("SESSION_TTL_DAYS", "8")], Warning, "lifetimes"),
        (&[("AUTH_PROFILE", "sessions"), ("COOKIE_DOMAIN", "example.com")], Warning, "cookies"),
        (&[("AUTH_PROFILE", "sessions"), ("SESSION_COOKIE_NAME", "sid")], Note, "cookies"),
        (&[("AUTH_PROFILE", "sessions"), ("CSRF_COOKIE_NAME", "xsrf")], Note, "cookies"),
        (&[("AUTH_PROFILE", "sessions,tokens")], Warning, "registration"),
        (&[("AUTH_PROFILE", "two-step,tokens"), ("AUTH_REGISTER_EXISTING", "conceal")], Warning, "second-step"),
        (&[("AUTH_ACCESS_CHECK", "stateless")], Warning, "access-check"),
        (&[("AUTH_REUSE", "resume")], Note, "reuse"),
        (&[("MAIL_FROM", "no-reply@acme.example")], Note, "mail-from"),
        #[cfg(feature = "redis")]
        (&[("REDIS_URL", "redis://:secret@redis.internal")], Warning, "redis-transport"),
        #[cfg(feature = "postgres")]
        (&[("DATABASE_URL", "postgres://a:b@db.internal/auth")], Warning, "database-transport"),
        #[cfg(feature = "postgres")]
        (&[("DATABASE_URL", "postgres://a:b@db.internal/auth?sslmode=require")], Warning, "database-transport"),
        #[cfg(feature = "mysql")]
        (&[("DATABASE_URL", "mysql://a:b@db.internal/auth")], Warning, "database-transport"),
        #[cfg(feature = "mysql")]
        (&[("DATABASE_URL", "mariadb://a:b@db.internal/auth?ssl-mode=REQUIRED")], Warning, "database-transport"),
    ];
    for (settings, severity, check) in cases {
        assert_eq!(found(&facts(settings)), [(*severity, *check)], "{settings:?}");
    }
}

#[test]
fn what_is_fine_is_not_found() {
    let cases: &[&[(&str, &str)]] = &[
        &[("AUTH_TRUSTED_PROXIES", ""), ("PUBLIC_URL", "http://127.0.0.1:8080"), ("FRONTEND_URL", "")],
        &[("AUTH_ACCESS_TTL", "60"), ("AUTH_SESSION_IDLE", "3600"), ("AUTH_SESSION_MAX", "86400")],
        &[("AUTH_PROFILE", "sessions"), ("SESSION_TTL_DAYS", "7"), ("SESSION_COOKIE_NAME", "__Host-sid")],
        &[("AUTH_PROFILE", "sessions,tokens"), ("AUTH_REGISTER_EXISTING", "conceal")],
        &[("AUTH_PROFILE", "two-step")],
        &[("AUTH_PROFILE", "two-step,sessions@/sessions"), ("AUTH_MFA", "email-required")],
        &[("MAIL_FROM", "no-reply@mail.example.com")],
        #[cfg(feature = "redis")]
        &[("REDIS_URL", "redis://localhost:6380")],
        #[cfg(feature = "redis")]
        &[("REDIS_URL", "rediss://:secret@redis.internal")],
        #[cfg(feature = "postgres")]
        &[("DATABASE_URL", "postgres://a:b@db.internal/auth?sslmode=verify-full")],
        #[cfg(feature = "postgres")]
        &[("DATABASE_URL", "postgres://a:b@localhost/auth")],
        #[cfg(feature = "postgres")]
        &[("DATABASE_URL", "postgres://a:b@127.0.0.1:5433/auth")],
        #[cfg(feature = "postgres")]
        &[("DATABASE_URL", "postgres://%2Frun%2Fpostgresql/auth")],
        #[cfg(feature = "postgres")]
        &[("DATABASE_URL", "postgres:///auth?host=/run/postgresql")],
        #[cfg(feature = "mysql")]
        &[("DATABASE_URL", "mysql://a:b@db.internal/auth?ssl-mode=verify_identity")],
        #[cfg(feature = "mysql")]
        &[("DATABASE_URL", "mariadb://a:b@localhost/auth")],
        #[cfg(feature = "mysql")]
        &[("DATABASE_URL", "mysql://a@db.internal/auth?socket=/run/mysqld/mysqld.sock")],
    ];
    for settings in cases {
        assert_eq!(found(&facts(settings)), [], "{settings:?}");
    }
}

#[test]
fn stores_are_looked_at() {
    use Severity::{Error, Note, Warning};
    let ready = |pepper, newest_event| StoreState::Ready { pepper, newest_event, backlog: Backlog::default() };
    let later = |seconds| Some(Timestamp::from_micros(NOW.as_micros() + seconds * SECOND));
    let with_mail = |backlog| StoreState::Ready { pepper: PepperState::Fits, newest_event: None, backlog };
    let cases = [
        (StoreState::New, vec![(Note, "store")]),
        (StoreState::Away("connection refused".into()), vec![(Error, "store")]),
        (StoreState::Outdated(vec!["0002_roles".into()]), vec![(Note, "migrations")]),
        (ready(PepperState::Foreign, None), vec![(Error, "pepper")]),
        (ready(PepperState::Missing, None), vec![(Error, "pepper")]),
        (ready(PepperState::Fits, None), vec![]),
        (ready(PepperState::Fits, later(60)), vec![]),
        (ready(PepperState::Fits, later(61)), vec![(Error, "clock")]),
        (with_mail(Backlog { queued: 1, oldest: later(-600), dead: 0 }), vec![]),
        (with_mail(Backlog { queued: 1, oldest: later(-601), dead: 0 }), vec![(Warning, "outbox")]),
        (with_mail(Backlog { queued: 0, oldest: None, dead: 1 }), vec![(Warning, "outbox")]),
    ];
    for (store, expected) in cases {
        let facts = Facts { store, ..facts(&[]) };
        assert_eq!(found(&facts), expected, "{:?}", facts.store);
    }
    let facts = Facts { now: Timestamp::from_micros(1_000_000), store: StoreState::New, ..facts(&[]) };
    assert_eq!(found(&facts), [(Error, "clock"), (Note, "store")], "the worst first");
}

#[test]
fn a_server_that_others_run_is_not_migrated_by_itself() {
    let urls: &[&str] = &[
        #[cfg(feature = "postgres")]
        "postgres://a:b@localhost/auth",
        #[cfg(feature = "mysql")]
        "mysql://a:b@localhost/auth",
    ];
    for url in urls {
        let store = StoreState::Outdated(vec!["0002_roles".into()]);
        let facts = Facts { store, ..facts(&[("DATABASE_URL", url)]) };
        assert_eq!(found(&facts), [(Severity::Error, "migrations")]);
    }
}

#[test]
fn mail_servers_and_files_are_looked_at() {
    let refused = Facts { mailer: Some(Err("535 wrong password".into())), ..facts(&[]) };
    assert_eq!(found(&refused), [(Severity::Error, "mail")]);
    assert!(examine(&refused)[0].found.contains("535 wrong password"));

    let file = |name: &str, is_open| SecretFile { path: PathBuf::from(name), is_open };
    let open = Facts { files: vec![file(".env", true), file("auth.toml", false)], ..facts(&[]) };
    assert_eq!(found(&open), [(Severity::Warning, "files")]);
    assert!(examine(&open)[0].found.starts_with(".env "));
}

// PW6: a pool that doesn't fit into the machine is found before load finds it.
#[test]
fn pw6_machines_are_measured() {
    let machine = |memory_mib: u64, hashing_threads, files| Machine {
        memory: Some(memory_mib << 20),
        hashing_threads,
        hashing_memory: 19 << 20,
        open_files: files,
    };
    let cases = [
        (machine(1024, 4, None), vec![]),
        // 4 × 19 + 90 = 166 MiB.
        (machine(332, 4, None), vec![]),
        (machine(331, 4, None), vec![(Severity::Warning, "memory")]),
        (machine(166, 4, None), vec![(Severity::Warning, "memory")]),
        (machine(165, 4, None), vec![(Severity::Error, "memory")]),
        (machine(1024, 64, None), vec![(Severity::Error, "memory")]),
        (machine(1024, 4, Some(4096)), vec![]),
        (machine(1024, 4, Some(1024)), vec![(Severity::Note, "open-files")]),
    ];
    for (machine, expected) in cases {
        assert_eq!(found(&Facts { machine, ..facts(&[]) }), expected, "{machine:?}");
    }
}

// Every finding says what it means and what to do, in sentences.
#[test]
fn findings_are_complete() {
    let settings = [("PUBLIC_URL", "http://a.example"), ("AUTH_TRUSTED_PROXIES", ""), ("AUTH_THROTTLE", "danger_off")];
    for finding in examine(&facts(&settings)) {
        for text in [&finding.meaning, &finding.advice] {
            assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{finding:?}");
        }
        assert!(!finding.found.ends_with('.'), "{finding:?}");
    }
}
