//! Configurations that no server starts with.

use crate::support::database::{PEPPER, Postgres, password};
use crate::support::mariadb::Mariadb;
use crate::support::process::Home;

/// A secret that is long and random enough, and must never be seen.
const SECRET: &str = "kX8sT2mV6qZ1wL9rB4nC7yD5gH3jF0pE";

/// SC3: every mistake is named at once, and no secret with it.
#[test]
fn sc3_all_mistakes_are_named_at_once() {
    let mut home = Home::new();
    let settings = [
        ("AUTH_LISTEN", "everywhere", "AUTH_LISTEN must be an address and port"),
        ("AUTH_PROFIL", "tokens", "AUTH_PROFIL in the environment is no setting"),
        (
            "AUTH_PROFILE",
            "token",
            "AUTH_PROFILE: this build has no \"token\", only tokens, sessions, service, two-step",
        ),
        ("AUTH_STORE", "sea-orm", "AUTH_STORE: this build has no \"sea-orm\", only sqlx, diesel"),
        ("AUTH_WEB", "actix", "AUTH_WEB: this build has no \"actix\", only axum, rocket"),
        ("PUBLIC_URL", "https://ann:hunter2@example.com", "PUBLIC_URL must be an address"),
        ("FRONTEND_URL", "app.example.com", "FRONTEND_URL must be an address"),
        ("AUTH_PEPPER", "hunter2-too-short", "AUTH_PEPPER: a pepper needs at least 32 bytes"),
        ("AUTH_PEPPER_OLD", "hunter2-changeme-hunter2-changeme-hunter2", "AUTH_PEPPER_OLD is a placeholder"),
        ("JWT_SECRET", SECRET, "JWT_SECRET and JWT_KEY_FILE are both set"),
        ("JWT_KEY_FILE", "key.pem", "JWT_SECRET and JWT_KEY_FILE are both set"),
        ("SMTP_HOST", "smtp.example.com", "MAIL_FROM is required with SMTP_HOST"),
        ("SMTP_PORT", "70000", "SMTP_PORT must be a port number"),
        ("SMTP_TLS", "none", "SMTP without TLS is for loopback hosts only"),
        ("SMTP_PASS", SECRET, "SMTP_PASS and JWT_SECRET are the same secret"),
        ("DATABASE_URL", "host=localhost password=hunter2 user=ann:", "DATABASE_URL must be an address such as"),
        ("AUTH_MAILER", "pigeon", "AUTH_MAILER must be smtp, ses, file or console"),
        ("AUTH_SESSION_IDLE", "a week", "AUTH_SESSION_IDLE must be a number of seconds"),
        ("AUTH_SESSION_MAX", "-1", "AUTH_SESSION_MAX must be a number of seconds"),
        ("AUTH_ACCESS_TTL", "0", "the access token's lifetime is zero"),
        ("AUTH_REUSE_LEEWAY", "301", "the reuse leeway is over five minutes"),
        ("AUTH_REUSE", "allow", "AUTH_REUSE must be refuse or resume"),
        ("AUTH_ACCESS_CHECK", "none", "AUTH_ACCESS_CHECK must be session or stateless"),
        ("SESSION_TTL_DAYS", "a week", "SESSION_TTL_DAYS must be a number of days"),
        ("AUTH_REGISTER_EXISTING", "deny", "AUTH_REGISTER_EXISTING must be conflict or conceal"),
        ("AUTH_UNVERIFIED_SIGN_IN", "maybe", "AUTH_UNVERIFIED_SIGN_IN must be allow or refuse"),
        ("AUTH_THROTTLE", "off", "AUTH_THROTTLE must be on or danger_off"),
        ("AUTH_TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.0/33", "AUTH_TRUSTED_PROXIES: \"10.0.0.0/33\" is not a network"),
        ("AUTH_ALLOWED_ORIGINS", "https://a.example/path", "AUTH_ALLOWED_ORIGINS: \"https://a.example/path\" is not"),
        ("AUTH_LOG", "auth_core=loud", "AUTH_LOG is no filter"),
    ];
    for (name, value, _) in settings {
        home = home.with(name, value);
    }
    let refusal = home.refused();
    for (_, _, mistake) in settings {
        assert!(refusal.contains(mistake), "{mistake}: {refusal}");
    }
    for secret in [SECRET, "hunter2"] {
        assert!(!refusal.contains(secret), "{refusal}");
    }
    // SMTP_PASS without SMTP_USER is a second one, and nothing is complained of that only follows from another.
    assert!(refusal.contains("SMTP_USER and SMTP_PASS go together"), "{refusal}");
    assert_eq!(refusal.matches("\n  - ").count(), settings.len(), "{refusal}");
    assert!(!home.path("portcullis.db").exists(), "nothing is made before all is well");
}

/// SC3, SC5: each mistake by itself is enough.
#[test]
fn sc3_each_mistake_is_enough() {
    let long = "a".repeat(64);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("AUTH_NONSENSE", "1")], "AUTH_NONSENSE"),
        // Secrets: short, not random, from the documentation, used twice.
        (&[("JWT_SECRET", "hunter2")], "JWT_SECRET: a secret for HS256 needs at least 32 bytes"),
        (&[("JWT_SECRET", &long)], "JWT_SECRET: the secret is not random"),
        (&[("JWT_SECRET", "your-secret-hunter2-your-secret-hunter2")], "JWT_SECRET is a placeholder"),
        (&[("AUTH_PEPPER", "hunter2")], "AUTH_PEPPER: a pepper needs at least 32 bytes"),
        (&[("AUTH_PEPPER", &long)], "AUTH_PEPPER: the pepper is not random"),
        (&[("AUTH_PEPPER", "ChangeMe-hunter2-hunter2-hunter2-1")], "AUTH_PEPPER is a placeholder"),
        (&[("AUTH_PEPPER", SECRET), ("JWT_SECRET", SECRET)], "are the same secret"),
        (&[("AUTH_PEPPER", SECRET), ("AUTH_PEPPER_OLD", SECRET)], "are the same secret"),
        (&[("AUTH_PEPPER_OLD", SECRET)], "AUTH_PEPPER_OLD is set without AUTH_PEPPER"),
        (&[("JWT_SECRET", SECRET), ("JWT_KEY_FILE", "key.pem")], "one key signs"),
        (&[("JWT_KEY_FILE", "no-such.pem")], "JWT_KEY_FILE no-such.pem"),
        // Facing the network with what is for development.
        (&[("AUTH_LISTEN", "0.0.0.0:0")], "set SMTP_HOST"),
        (&[("AUTH_LISTEN", "[::]:0"), ("PUBLIC_URL", "https://auth.example.com")], "set SMTP_HOST"),
        (
            &[("AUTH_LISTEN", "0.0.0.0:0"), ("SMTP_HOST", "localhost"), ("MAIL_FROM", "a@example.com")],
            "PUBLIC_URL must",
        ),
        // Mail.
        (&[("SMTP_HOST", "10.0.0.1"), ("MAIL_FROM", "a@example.com"), ("SMTP_TLS", "none")], "loopback hosts only"),
        (&[("SMTP_HOST", "https://mail"), ("MAIL_FROM", "a@example.com")], "SMTP_HOST"),
        (&[("SMTP_HOST", "localhost"), ("MAIL_FROM", "nobody")], "MAIL_FROM"),
        (&[("SMTP_HOST", "localhost"), ("MAIL_FROM", "a@example.com"), ("SMTP_USER", "ann")], "go together"),
        (&[("SMTP_PASS", "hunter2")], "mean nothing without SMTP_HOST"),
        (&[("AUTH_MAILER", "smtp")], "AUTH_MAILER=smtp needs SMTP_HOST"),
        (&[("AUTH_MAILER", "file"), ("SMTP_HOST", "localhost"), ("MAIL_FROM", "a@example.com")], "contradicts"),
        // Times that contradict each other.
        (
            &[("AUTH_SESSION_IDLE", "100"), ("AUTH_SESSION_MAX", "99"), ("AUTH_ACCESS_TTL", "9")],
            "longer than its absolute",
        ),
        (&[("AUTH_ACCESS_TTL", "2592001")], "lives longer than its session may"),
        (&[("AUTH_REFRESH_TTL", "10")], "the reuse leeway is no shorter"),
        // What to log: a misspelt level would be taken for the name of a target, and silence everything.
        (&[("AUTH_LOG", "loud")], "AUTH_LOG is no filter"),
        // Profiles, and cookies that browsers would refuse.
        (&[("AUTH_PROFILE", ",")], "AUTH_PROFILE lists no profile"),
        (&[("AUTH_PROFILE", "tokens@")], "AUTH_PROFILE: \"\" is no path"),
        (&[("AUTH_PROFILE", "tokens@v1")], "AUTH_PROFILE: \"v1\" is no path"),
        (&[("AUTH_PROFILE", "tokens,tokens")], "/v1/auth and /v1/auth are in each other's way"),
        (&[("AUTH_PROFILE", "sessions,tokens@/auth/v2")], "/auth and /auth/v2 are in each other's way"),
        (&[("SESSION_COOKIE_NAME", "sid")], "SESSION_COOKIE_NAME: no profile of AUTH_PROFILE has a session cookie"),
        (&[("AUTH_PROFILE", "sessions"), ("SESSION_COOKIE_NAME", "a b")], "\"a b\" is no name for a cookie"),
        (&[("AUTH_PROFILE", "sessions"), ("SESSION_COOKIE_NAME", "__Host-sid")], "needs an https address"),
        (&[("AUTH_PROFILE", "sessions"), ("CSRF_COOKIE_NAME", "session")], "two cookies have one name"),
        (
            &[("AUTH_PROFILE", "sessions"), ("COOKIE_DOMAIN", "co.uk"), ("PUBLIC_URL", "https://a.example.co.uk")],
            "a public suffix",
        ),
        (&[("AUTH_PROFILE", "sessions"), ("SESSION_TTL_DAYS", "0")], "SESSION_TTL_DAYS must be 1 to 400"),
        // Addresses.
        (&[("AUTH_LISTEN", "localhost")], "AUTH_LISTEN must be an address and port"),
        (&[("PUBLIC_URL", "https://auth.example.com/?a=b")], "PUBLIC_URL must be an address"),
        (&[("PUBLIC_URL", "ftp://auth.example.com")], "PUBLIC_URL must be an address"),
        (&[("AUTH_ALLOWED_ORIGINS", "*")], "AUTH_ALLOWED_ORIGINS"),
        (&[("AUTH_ALLOWED_ORIGINS", "null")], "AUTH_ALLOWED_ORIGINS"),
        (&[("AUTH_TRUSTED_PROXIES", "proxy.example.com")], "AUTH_TRUSTED_PROXIES"),
        // Databases.
        (&[("DATABASE_URL", "oracle://ann:hunter2@localhost/db")], "no storage for \"oracle\""),
        (&[("DATABASE_URL", "hunter2")], "DATABASE_URL must be an address such as"),
        (&[("DATABASE_URL", "host=localhost password=hunter2")], "DATABASE_URL must be an address such as"),
        (&[("DATABASE_URL", "sqlite::memory:")], "must name a database file"),
        (&[("DATABASE_URL", "sqlite://a.db?mode=memory")], "must name a database file"),
        (&[("DATABASE_URL", "sqlite://a.db?nonsense=hunter2")], "nonsense"),
        (&[("DATABASE_URL", "sqlite://no/such/folder/a.db")], "sqlite"),
        (&[("DATABASE_URL", "postgres://ann:hunter2@localhost/db")], "AUTH_PEPPER is required on PostgreSQL"),
        (&[("DATABASE_URL", "mysql://ann:hunter2@localhost/db")], "AUTH_PEPPER is required on MySQL and MariaDB"),
        (&[("DATABASE_URL", "mariadb://ann:hunter2@localhost:x/db"), ("AUTH_PEPPER", PEPPER)], "mysql"),
        (&[("DATABASE_URL", "postgres://ann:hunter2@localhost:x/db"), ("AUTH_PEPPER", PEPPER)], "postgres"),
    ];
    for (settings, mistake) in cases {
        let home = settings.iter().fold(Home::new(), |home, (name, value)| home.with(name, value));
        let refusal = home.refused();
        assert!(refusal.contains(mistake), "{settings:?}: {refusal}");
        for secret in ["hunter2", SECRET, PEPPER, &long] {
            assert!(!refusal.contains(secret), "{settings:?}: {refusal}");
        }
    }
}

/// SC3: a database that refuses us is named without the password that we came with.
#[tokio::test]
async fn sc3_a_database_that_is_not_there() {
    let Some(database) = Postgres::empty().await else { return };
    let (home, url) = (database.home(), database.url());
    drop(database);
    is_not_there(&home, &url, "does not exist");
}

#[tokio::test]
async fn sc3_a_database_that_is_not_there_on_mariadb() {
    let Some(database) = Mariadb::empty().await else { return };
    let (home, url) = (database.home(), database.url());
    drop(database);
    is_not_there(&home, &url, "Unknown database");
}

fn is_not_there(home: &Home, url: &str, said: &str) {
    let refusal = home.refused();
    assert!(refusal.contains(said), "{refusal}");
    assert!(password(url).is_none_or(|password| !refusal.contains(&password)), "{refusal}");
}

/// Wrong usage is another exit code than failure.
#[test]
fn usage_errors_exit_with_2() {
    for arguments in
        [&["serv"][..], &["--nonsense"], &["schema"], &["schema", "print"], &["migrate", "now"], &["doctor", "who"]]
    {
        let output = Home::new().run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let output = Home::new().run(&["schema", "print", "--dialect", "oracle"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(Home::new().run(&["--help"]).status.code(), Some(0));
    assert_eq!(Home::new().done(&["--version"]), format!("auth-server {}\n", env!("CARGO_PKG_VERSION")));
}

/// The commands refuse what the server refuses.
#[test]
fn sc3_commands_read_the_same_configuration() {
    let refusal = Home::new().with("AUTH_NONSENSE", "1").failed(&["migrate"]);
    assert!(refusal.contains("AUTH_NONSENSE"), "{refusal}");
}
