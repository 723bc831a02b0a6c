//! `doctor` against real surroundings. What it makes of settings is tested beside the code.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::database::{PEPPER, Postgres};
use crate::support::mariadb::Mariadb;
use crate::support::process::Home;
use crate::support::smtp::{Service, Smtp};

/// The checks that found something, each with its severity, and the exit code.
fn examined(home: &Home, arguments: &[&str]) -> (Vec<String>, Option<i32>) {
    let output = home.run(&[&["--json", "doctor"], arguments].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    for finding in findings {
        assert!(["found", "meaning", "advice"].iter().all(|text| finding[text].is_string()), "{finding}");
    }
    let count = |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
    assert_eq!((&report["errors"], &report["warnings"]), (&count("error").into(), &count("warning").into()));
    let name = |finding: &Value| format!("{} {}", finding["severity"].as_str()?, finding["check"].as_str()?).into();
    // How many files a process may open is the test machine's affair.
    let names = findings.iter().map(|finding| -> Option<String> { name(finding) }).map(Option::unwrap);
    (names.filter(|name| name != "note open-files").collect(), output.status.code())
}

/// It looks, and makes nothing: no database, no pepper, no folder for mail.
#[tokio::test]
async fn looking_changes_nothing() {
    let home = Home::new();
    let found = ["warning development", "warning pepper", "note store"].map(String::from);
    assert_eq!(examined(&home, &[]), (found.to_vec(), Some(0)));
    assert_eq!(fs::read_dir(home.path("")).unwrap().count(), 0);

    // What a server has made is fine, and text says the same as JSON.
    home.start().await.stop().await;
    assert_eq!(examined(&home, &[]).0, found[..2]);
    let text = home.done(&["doctor"]);
    assert!(text.contains("warning (pepper): the pepper is in a file beside the database"), "{text}");
}

/// SC3: the pepper is compared with the store's.
#[tokio::test]
async fn sc3_a_foreign_pepper_is_found() {
    let home = Home::new();
    home.start().await.stop().await;
    let (found, code) = examined(&home.clone().with("AUTH_PEPPER", PEPPER), &[]);
    assert_eq!((&found[..], code), (&["error pepper".into(), "warning development".into()][..], Some(1)));
    fs::remove_file(home.path("portcullis.db.pepper")).unwrap();
    assert_eq!(examined(&home, &[]).0[0], "error pepper");
}

/// SC3: every mistake in the configuration is a finding.
#[test]
fn sc3_mistakes_are_findings() {
    let home = Home::new().with("AUTH_NONSENSE", "1").with("JWT_SECRET", "hunter2");
    let (found, code) = examined(&home, &[]);
    assert_eq!((found, code), (vec!["error configuration".to_owned(); 2], Some(1)));
    assert!(!home.failed(&["doctor"]).contains("hunter2"));
}

#[test]
fn files_that_others_can_read_are_found() {
    let home = Home::new();
    fs::write(home.path("auth.toml"), "auth_log = \"info\"\n").unwrap();
    let of_files = |mode: u32| {
        fs::set_permissions(home.path("auth.toml"), fs::Permissions::from_mode(mode)).unwrap();
        examined(&home, &["--config", "auth.toml"]).0.iter().filter(|found| *found == "warning files").count()
    };
    assert_eq!((of_files(0o644), of_files(0o640), of_files(0o600)), (1, 1, 0));
}

/// DF3: a mail server that is away shows before anybody waits for mail.
#[tokio::test(flavor = "multi_thread")]
async fn df3_mail_servers_are_tried() {
    for (service, is_found) in [(Service::Away, true), (Service::Up, false)] {
        let smtp = Smtp::new(service);
        let home = Home::new().with("SMTP_HOST", "127.0.0.1").with("SMTP_PORT", &smtp.port.to_string());
        let home = home.with("SMTP_TLS", "none").with("MAIL_FROM", "no-reply@acme.example");
        let (found, code) = examined(&home, &[]);
        assert_eq!((found.contains(&"error mail".to_owned()), code == Some(1)), (is_found, is_found), "{found:?}");
        assert!(smtp.received().is_empty());
    }
}

/// DF4: a database server that is away, and one that lacks the schema.
#[tokio::test]
async fn df4_databases_are_tried() {
    let Some(database) = Postgres::empty().await else { return };
    is_tried(&database.home(), || drop(database));
}

#[tokio::test]
async fn df4_databases_are_tried_on_mariadb() {
    let Some(database) = Mariadb::empty().await else { return };
    is_tried(&database.home(), || drop(database));
}

fn is_tried(home: &Home, drop_database: impl FnOnce()) {
    assert_eq!(examined(home, &[]).0[0], "error migrations");
    home.done(&["migrate"]);
    assert_eq!(examined(home, &[]), (vec!["warning development".into()], Some(0)));
    drop_database();
    assert_eq!(examined(home, &[]).0[0], "error store");
}
