use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::variables::VARIABLES;
use super::{Config, Mistakes, Source};

fn of(variables: &[(&str, &str)]) -> Result<Config, Mistakes> {
    let mut source = Source::default();
    let pairs = variables.iter().map(|(name, value)| (name.to_string(), Ok::<_, ()>(value.to_string())));
    source.add_environment(pairs);
    Config::parse(source)
}

fn paper(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The names of all variables, and that none of `found` is there twice.
#[track_caller]
fn assert_all_variables(found: &[&str]) {
    let distinct: BTreeSet<&str> = found.iter().copied().collect();
    assert_eq!(distinct, VARIABLES.iter().copied().collect(), "the names must be those of variables.rs");
    assert_eq!(distinct.len(), found.len(), "a name is there twice: {found:?}");
}

#[test]
fn the_example_lists_every_variable_and_changes_nothing() {
    let example = paper(".env.example");
    let lines = example.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let pairs: Vec<_> = lines.map(|line| line.split_once('=').unwrap()).collect();
    assert_all_variables(&pairs.iter().map(|(name, _)| *name).collect::<Vec<_>>());

    let (example, nothing) = (of(&pairs).unwrap(), of(&[]).unwrap());
    assert_eq!(format!("{example:?}"), format!("{nothing:?}"));
}

#[test]
fn the_toml_example_lists_every_key_and_changes_nothing() {
    let example = paper("portcullis.example.toml");
    let table: toml::Table = example.parse().unwrap();
    let names: Vec<String> = table.keys().map(|key| key.to_uppercase()).collect();
    assert_all_variables(&names.iter().map(String::as_str).collect::<Vec<_>>());

    let parse = |text: &str| {
        let mut source = Source::default();
        source.add_toml(text, "portcullis.toml");
        Config::parse(source).unwrap()
    };
    assert_eq!(format!("{:?}", parse(&example)), format!("{:?}", of(&[]).unwrap()));

    // What it only suggests can be taken.
    let suggested = example.split_once("# [permissions]").unwrap().1.replace("\n# ", "\n");
    let permissions = parse(&format!("[permissions]{suggested}")).permissions;
    assert!(permissions.knows("posts.write") && permissions.knows("invoices.read"), "{permissions:?}");
}

// With or without quotes, a permission is the same.
#[test]
fn permissions_are_read_from_toml() {
    let parse = |text: &str| {
        let mut source = Source::default();
        source.add_toml(text, "auth.toml");
        Config::parse(source).map(|config| config.permissions)
    };
    let quoted = parse("[permissions]\n\"posts.write\" = [\"editor\", \"admin\"]\nexport = [\"admin\"]").unwrap();
    assert_eq!(quoted, parse("[permissions]\nposts.write = [\"editor\", \"admin\"]\nexport = [\"admin\"]").unwrap());
    assert!(quoted.knows("posts.write") && quoted.knows("export") && !quoted.knows("posts"));
    for wrong in ["posts = \"admin\"", "posts = [1]", "posts = [\"no role\"]", "posts.write = 1"] {
        let Mistakes(mistakes) = parse(&format!("[permissions]\n{wrong}")).unwrap_err();
        assert!(matches!(&mistakes[..], [one] if one.starts_with("permissions in auth.toml: \"posts")), "{mistakes:?}");
    }
}

#[test]
fn a_key_stands_in_a_toml_file_once() {
    let mut source = Source::default();
    source.add_toml("auth_log = \"info\"\nAUTH_LOG = \"debug\"", "auth.toml");
    let Mistakes(mistakes) = Config::parse(source).unwrap_err();
    assert_eq!(mistakes, ["auth_log in auth.toml stands there twice, in another case"]);
}

// A misspelt level would be taken for the name of a target, and nothing would be logged.
#[test]
fn levels_are_spelt_right() {
    for filter in ["info", "WARN", "off", "info,auth_core=debug", "auth_core=debug", "sqlx::query=off,warn"] {
        assert_eq!(mistakes(&[("AUTH_LOG", filter)]), [""; 0], "{filter}");
    }
    for filter in ["loud", "infos", "auth_core", "info,auth_core", "info,", "auth_core=loud", "auth_core:debug"] {
        assert_eq!(mistakes(&[("AUTH_LOG", filter)]).len(), 1, "{filter}");
    }
}

#[test]
fn the_configuration_page_has_every_variable() {
    let page = paper("docs/src/configuration.md");
    let names = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    assert_all_variables(&names.collect::<Vec<_>>());
}

// SC1: a configuration that is printed shows no secret.
#[test]
fn sc1_debug_keeps_secrets() {
    const SECRETS: [&str; 6] = [
        "kX8sT2mV6qZ1wL9rB4nC7yD5gH3jF0pE",
        "mQ3vR7xN1zK5tJ9bW2sG6cM0hY4fL8dA",
        "pD6uE0iO4aS8fH2jK7lZ1xC5vB9nM3qW",
        "hunter2-at-the-mail-server",
        "hunter2-at-the-database",
        "hunter2-at-redis",
    ];
    let [pepper, old, jwt, smtp, database, redis] = SECRETS;
    let mut settings = vec![
        ("AUTH_PEPPER", pepper),
        ("AUTH_PEPPER_OLD", old),
        ("JWT_SECRET", jwt),
        ("SMTP_HOST", "smtp.example.com"),
        ("SMTP_USER", "ann"),
        ("SMTP_PASS", smtp),
        ("MAIL_FROM", "ann@example.com"),
    ];
    let url = format!("postgres://ann:{database}@localhost/db");
    if cfg!(feature = "postgres") {
        settings.push(("DATABASE_URL", &url));
    }
    let url = format!("redis://ann:{redis}@localhost");
    if cfg!(feature = "redis") {
        settings.push(("REDIS_URL", &url));
    }
    if cfg!(not(feature = "smtp")) {
        settings.retain(|(name, _)| !name.starts_with("SMTP"));
    }
    let printed = format!("{:?}", of(&settings).unwrap());
    for secret in SECRETS {
        assert!(!printed.contains(secret), "{printed}");
    }
}

// SC1: nor do the settings before anybody has looked at them.
#[test]
fn sc1_sources_print_names_only() {
    let mut source = Source::default();
    source.add_toml("AUTH_PEPPER = \"hunter2\"\nAUTH_LOG = \"hunter2\"", "auth.toml");
    let printed = format!("{source:?}");
    assert!(printed.contains("AUTH_PEPPER") && !printed.contains("hunter2"), "{printed}");
}

fn mistakes(variables: &[(&str, &str)]) -> Vec<String> {
    of(variables).map_or_else(|mistakes| mistakes.0, |_| Vec::new())
}

// SC3: who learns one secret must not have learnt another, wherever in a list it stands.
#[test]
fn sc3_secrets_in_lists_are_compared_one_by_one() {
    const A: &str = "kX8sT2mV6qZ1wL9rB4nC7yD5gH3jF0pE";
    const B: &str = "mQ3vR7xN1zK5tJ9bW2sG6cM0hY4fL8dA";
    const C: &str = "pD6uE0iO4aS8fH2jK7lZ1xC5vB9nM3qW";
    let with_old = |old: &str| mistakes(&[("AUTH_PEPPER", A), ("JWT_SECRET", B), ("AUTH_PEPPER_OLD", old)]);
    assert_eq!(with_old(C), [""; 0]);
    assert_eq!(with_old(&format!("{C},{A}")), ["AUTH_PEPPER_OLD and AUTH_PEPPER are the same secret"]);
    assert_eq!(with_old(&format!("{B} , {C}")), ["AUTH_PEPPER_OLD and JWT_SECRET are the same secret"]);
    assert_eq!(with_old(&format!("{C},{C}")), ["AUTH_PEPPER_OLD lists one secret twice"]);
    let placeholder = format!("{C},{C}-changeme");
    assert_eq!(with_old(&placeholder), ["AUTH_PEPPER_OLD is a placeholder, not a secret"]);
}

// RL1: where everybody is a proxy of ours, everybody chooses an address.
#[test]
fn rl1_everybody_is_no_proxy() {
    for everybody in ["0.0.0.0/0", "::/0", "10.0.0.0/8,0.0.0.0/0"] {
        let mistakes = mistakes(&[("AUTH_TRUSTED_PROXIES", everybody)]);
        assert!(matches!(&mistakes[..], [mistake] if mistake.contains("would believe everybody")), "{mistakes:?}");
    }
}

#[cfg(feature = "redis")]
#[test]
fn what_nodes_share_is_read() {
    let shared = of(&[("REDIS_URL", "redis://localhost")]).unwrap().shared.unwrap();
    assert_eq!(shared.prefix, "auth:");
    let shared = of(&[("REDIS_URL", "redis://localhost"), ("REDIS_PREFIX", "shop-2.eu:")]).unwrap().shared.unwrap();
    assert_eq!(shared.prefix, "shop-2.eu:");
    assert!(of(&[("REDIS_URL", "redis://localhost:7000,redis://localhost:7001")]).is_ok());
    for (settings, mistake) in [
        (&[("REDIS_PREFIX", "shop")][..], "REDIS_PREFIX means nothing without REDIS_URL"),
        (&[("REDIS_URL", "redis://localhost"), ("REDIS_PREFIX", "{a}")], "REDIS_PREFIX must be up to 64 letters"),
        (&[("REDIS_URL", "http://localhost")], "REDIS_URL: not an address such as redis://127.0.0.1:6379"),
        (&[("REDIS_URL", "redis://localhost:7000/1,redis://localhost")], "REDIS_URL: not an address"),
    ] {
        let mistakes = mistakes(settings);
        assert!(matches!(&mistakes[..], [one] if one.starts_with(mistake)), "{mistakes:?}");
    }
}

// SE5: no copy in a process lives longer than a second, and there is none where nobody asked for one.
#[test]
fn se5_copies_live_for_a_second_at_most() {
    let local = |settings: &[(&str, &str)]| of(settings).unwrap().local_cache;
    assert_eq!(local(&[]), Duration::ZERO);
    #[cfg(feature = "redis")]
    {
        assert_eq!(local(&[("REDIS_URL", "redis://localhost")]), Duration::from_secs(1));
        assert_eq!(local(&[("REDIS_URL", "redis://localhost"), ("AUTH_LOCAL_CACHE", "0")]), Duration::ZERO);
    }
    for (text, millis) in [("0", 0), ("0.25", 250), ("1", 1000), ("1.0", 1000)] {
        assert_eq!(local(&[("AUTH_LOCAL_CACHE", text)]), Duration::from_millis(millis), "{text}");
    }
    for wrong in ["2", "1.001", "-1", "on", "NaN", "inf", "1s"] {
        let mistakes = mistakes(&[("AUTH_LOCAL_CACHE", wrong)]);
        assert_eq!(mistakes, ["AUTH_LOCAL_CACHE must be a number of seconds from 0 to 1"], "{wrong}");
    }
}

// What the example for many nodes sets there is, and nothing in it contradicts itself.
#[cfg(all(feature = "postgres", feature = "redis", feature = "smtp"))]
#[test]
fn the_example_for_many_nodes_is_read() {
    let file = paper("examples/many-nodes/auth.env");
    let lines = file.lines().filter_map(|line| line.split_once('=').filter(|_| !line.starts_with('#')));
    let mut settings: Vec<(&str, &str)> = lines.collect();
    settings.retain(|(_, value)| !value.is_empty());
    settings.extend([("AUTH_PEPPER", "nZ4vQ8sL1xT6yB3kW9mR5cH7jF2gD0pA"), ("AUTH_LISTEN", "127.0.0.1:8081")]);
    settings.extend([("SMTP_USER", "auth"), ("SMTP_PASS", "correct horse battery")]);
    let config = of(&settings).unwrap();
    assert!(config.shared.is_some() && !config.local_cache.is_zero());

    let compose = paper("examples/many-nodes/compose.yaml");
    let names = compose.lines().filter_map(|line| line.trim().split_once(": ").map(|(name, _)| name));
    let of_server = names.filter(|name| name.contains('_') && !name.starts_with("POSTGRES_"));
    let of_server: Vec<&str> =
        of_server.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect();
    assert!(of_server.len() >= 8, "{of_server:?}");
    for name in of_server {
        assert!(VARIABLES.contains(&name), "{name}");
    }
}
