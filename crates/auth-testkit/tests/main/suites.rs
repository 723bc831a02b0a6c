//! The suites are complete: a check that no macro names would never run.

const FILES: &[(&str, &str, &str)] = &[
    ("store::users", include_str!("../../src/store/users.rs"), STORE),
    ("store::attributes", include_str!("../../src/store/attributes.rs"), STORE),
    ("store::addresses", include_str!("../../src/store/addresses.rs"), STORE),
    ("store::directory", include_str!("../../src/store/directory.rs"), STORE),
    ("store::roles", include_str!("../../src/store/roles.rs"), STORE),
    ("store::deletion", include_str!("../../src/store/deletion.rs"), STORE),
    ("store::pendings", include_str!("../../src/store/pendings.rs"), STORE),
    ("store::sessions", include_str!("../../src/store/sessions.rs"), STORE),
    ("store::cookies", include_str!("../../src/store/cookies.rs"), STORE),
    ("store::tokens", include_str!("../../src/store/tokens.rs"), STORE),
    ("store::factors", include_str!("../../src/store/factors.rs"), STORE),
    ("store::budgets", include_str!("../../src/store/budgets.rs"), STORE),
    ("store::audit", include_str!("../../src/store/audit.rs"), STORE),
    ("store::keys", include_str!("../../src/store/keys.rs"), STORE),
    ("store::outbox", include_str!("../../src/store/outbox.rs"), STORE),
    ("store::dead_letters", include_str!("../../src/store/dead_letters.rs"), STORE),
    ("store::housekeeping", include_str!("../../src/store/housekeeping.rs"), STORE),
    ("store::commit", include_str!("../../src/store/commit.rs"), STORE),
    ("idempotency", IDEMPOTENCY, IDEMPOTENCY),
    ("throttle", THROTTLE, THROTTLE),
    ("cache", CACHE, CACHE),
];
const STORE: &str = include_str!("../../src/store/mod.rs");
const IDEMPOTENCY: &str = include_str!("../../src/idempotency.rs");
const THROTTLE: &str = include_str!("../../src/throttle.rs");
const CACHE: &str = include_str!("../../src/cache.rs");

#[test]
fn every_check_is_in_its_suite() {
    for (module, source, list) in FILES {
        let start = list.find(&format!("[{module}],")).expect("a list of the module's checks");
        let length = list[start..].find('}').unwrap();
        let named: Vec<&str> = list[start..start + length].split_whitespace().skip(1).collect();
        let checks: Vec<&str> =
            source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next()).collect();
        assert!(!checks.is_empty());
        assert_eq!(named, checks, "{module}");
    }
}
