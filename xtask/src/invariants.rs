//! What ARCHITECTURE.md promises about the crates, as far as manifests and the dependency graph show it. Built under
//! `#[cfg(test)]` only.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::process;
use crate::workspace::{Package, cargo, packages, root};

/// The members of the workspace that a crate may depend on; `None` for the crates at the top, which put all together.
fn layer(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "auth-core" | "auth-schema" => Some(&[]),
        "auth-store" => Some(&["auth-core"]),
        "auth-http" | "auth-mail" | "auth-cache-redis" => Some(&["auth-core"]),
        "auth-store-sqlx" | "auth-store-diesel" => Some(&["auth-core", "auth-schema", "auth-store"]),
        "auth-testkit" | "auth-axum" | "auth-rocket" => Some(&["auth-core", "auth-http"]),
        "portcullis" | "auth-server" => None,
        other => panic!("{other} has no layer: decide here what it may depend on"),
    }
}

/// Frameworks and drivers, each with the only crates that may name it. The server serves through axum.
const OWNERS: &[(&str, &[&str])] = &[
    ("axum", &["auth-axum", "auth-server"]),
    ("tower", &["auth-axum", "auth-server"]),
    ("hyper", &["auth-server"]),
    ("hyper-util", &["auth-server"]),
    ("rocket", &["auth-rocket"]),
    ("http", &["auth-http", "auth-testkit", "auth-axum", "auth-rocket", "auth-server"]),
    ("sqlx", &["auth-store-sqlx"]),
    ("diesel", &["auth-store-diesel"]),
    ("diesel-async", &["auth-store-diesel"]),
    ("libsqlite3-sys", &["auth-store-diesel"]),
    ("mysql_async", &["auth-store-diesel"]),
    ("tokio-postgres", &["auth-store-diesel"]),
    ("tokio-postgres-rustls", &["auth-store-diesel"]),
    ("redis", &["auth-cache-redis"]),
    ("lettre", &["auth-mail"]),
    ("aws-config", &["auth-mail"]),
    ("aws-sdk-sesv2", &["auth-mail"]),
];

/// Timing attacks on RSA, a second crypto provider, and C libraries of the host's choosing.
const BANNED: &[&str] = &["rsa", "ring", "openssl", "openssl-sys", "native-tls"];

/// The crates of `crates/`; examples and developer commands may do as they please.
fn crates() -> Vec<Package> {
    let home = root().join("crates");
    let mut members = packages().unwrap();
    members.retain(|package| package.manifest_path.starts_with(&home));
    assert!(members.len() >= 8, "only {} crates found", members.len());
    members
}

/// The names of all packages that `cargo tree` finds.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let tree = process::output(cargo().args(["tree", "--prefix=none", "--all-features"]).args(arguments)).unwrap();
    tree.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

#[test]
fn folder_names_equal_crate_names() {
    for package in crates() {
        assert_eq!(package.manifest_path.parent().and_then(Path::file_name), Some(package.name.as_ref()));
    }
}

/// What those see who find a crate in a registry, and what its licences ask to go along with it.
#[test]
fn crates_say_what_they_are() {
    for package in crates() {
        let name = &package.name;
        assert!(package.is_published(), "{name}");
        assert!(
            package.description.as_ref().is_some_and(|text| text.contains("Portcullis") || text.len() > 30),
            "{name}"
        );
        assert!(package.readme.is_some(), "{name} has no README.md");
        assert!(!package.keywords.is_empty(), "{name} has no keywords");
        assert_eq!(package.metadata["docs"]["rs"]["all-features"], true, "{name}: documentation without some features");
        let folder = package.manifest_path.parent().unwrap();
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            assert!(folder.join(licence).is_file(), "{name} has no {licence}");
        }
    }
    for package in packages().unwrap().iter().filter(|package| package.is_published()) {
        assert!(package.manifest_path.starts_with(root().join("crates")), "{} is published", package.name);
    }
}

/// Whoever asks for axum and SQLite gets no other framework, driver or service along; and no more than the book says.
#[test]
fn a_small_stack_has_what_it_asks_for() {
    const STACK: &[&str] = &["--package=portcullis", "--features=axum,sqlx-sqlite,migrate", "--edges=normal,build"];
    let output = process::output(cargo().args(["tree", "--prefix=none", "--no-dedupe"]).args(STACK)).unwrap();
    let reached: BTreeSet<_> = output.lines().filter_map(|line| line.split_once(' ')).collect();
    let names: BTreeSet<_> = reached.iter().map(|(name, _)| *name).collect();
    assert!(names.contains("auth-axum") && names.contains("sqlx-sqlite"), "not a tree: {output}");
    for unasked in [
        "sqlx-postgres",
        "sqlx-mysql",
        "sqlx-macros",
        "diesel",
        "diesel-async",
        "tokio-postgres",
        "mysql_async",
        "redis",
        "rocket",
        "lettre",
        "aws-config",
        "aws-sdk-sesv2",
        "auth-mail",
        "auth-testkit",
        "mockall",
    ] {
        assert!(!names.contains(unasked), "{unasked}: cargo tree {} --invert {unasked}", STACK.join(" "));
    }
    let page = fs::read_to_string(root().join("docs/src/embed/dependency.md")).unwrap();
    let said = page.split(" crates in all").next().and_then(|text| text.rsplit(' ').next()).unwrap_or_default();
    assert_eq!(said, names.len().to_string(), "docs/src/embed/dependency.md");
}

#[test]
fn versions_move_in_lockstep() {
    let crates = crates();
    let version = &crates[0].version;
    for package in &crates {
        assert_eq!(&package.version, version, "{}", package.name);
        // A crate's own tests may ask for its features through a dependency on itself, which has no version.
        let others = package.dependencies.iter().filter(|dependency| dependency.name != package.name);
        for member in others.filter(|dependency| dependency.path.is_some()) {
            assert_eq!(member.req, format!("^{version}"), "{} on {}", package.name, member.name);
        }
    }
}

#[test]
fn layers_point_inwards() {
    for package in crates() {
        let Some(allowed) = layer(&package.name) else { continue };
        let members = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        for member in members.filter(|dependency| dependency.kind.as_deref() != Some("dev")) {
            assert!(allowed.contains(&member.name.as_str()), "{} depends on {}", package.name, member.name);
        }
    }
}

#[test]
fn frameworks_and_drivers_stay_with_their_adapter() {
    for package in crates() {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev")) {
            if let Some((_, owners)) = OWNERS.iter().find(|(name, _)| *name == dependency.name) {
                assert!(owners.contains(&package.name.as_str()), "{} depends on {}", package.name, dependency.name);
            }
        }
    }
}

#[test]
fn core_reaches_no_framework_or_driver() {
    let reached = tree(&["--package=auth-core", "--edges=normal,build"]);
    assert!(reached.contains("tokio"), "not a tree: {reached:?}");
    for (name, _) in OWNERS {
        assert!(!reached.contains(*name), "auth-core depends on {name}: cargo tree -p auth-core --invert {name}");
    }
}

#[test]
fn nothing_reaches_a_banned_crate() {
    let reached = tree(&["--workspace", "--edges=normal,build,dev"]);
    for name in BANNED {
        assert!(!reached.contains(*name), "{name} is banned: cargo tree --workspace --all-features --invert {name}");
    }
}

/// JSON is the wire's; a domain type that serialises ends up in somebody's log.
#[test]
fn domain_types_do_not_serialise() {
    let domain = sources(&root().join("crates/auth-core/src/domain"));
    assert!(!domain.is_empty());
    for file in domain {
        let source = fs::read_to_string(&file).unwrap();
        // A function may well take what its caller can serialise.
        let serialises =
            |line: &&str| line.contains("Serialize for ") || line.contains("derive(") && line.contains("Serialize");
        let line = source.lines().find(|line| serialises(line) && !line.trim_start().starts_with("//"));
        assert_eq!(line, None, "{}", file.display());
    }
}

/// SC2: a secret has no `==`, which would take longer the more of a guess is right. MACs have `matches`, and what a client
/// presents is hashed first.
#[test]
fn sc2_secrets_have_no_equality() {
    let mut secrets = 0;
    for file in sources(&root().join("crates/auth-core/src")) {
        let source = fs::read_to_string(&file).unwrap();
        for (derives, kind) in
            source.lines().zip(source.lines().skip(1)).filter(|(line, _)| line.starts_with("#[derive("))
        {
            let name = kind.split(['(', ' ']).skip_while(|word| *word != "struct").nth(1).unwrap_or_default();
            if derives.contains("Zeroize") || name == "Mac" {
                secrets += 1;
                let is_compared = derives.contains("PartialEq") || source.contains(&format!("PartialEq for {name}"));
                assert!(!is_compared, "{}: {name}", file.display());
            }
        }
    }
    assert!(secrets >= 8, "only {secrets} secrets found");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
