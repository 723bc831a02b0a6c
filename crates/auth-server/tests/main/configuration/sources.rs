//! Where settings come from.

use std::fs;

use crate::support::process::Home;

/// The environment wins over `.env`, which wins over the TOML file.
#[tokio::test]
async fn the_environment_wins_over_dotenv_wins_over_toml() {
    // Which one won shows in the address that the server listens on.
    let [from_environment, from_dotenv, from_toml] = ["127.0.0.2:0", "127.0.0.3:0", "127.0.0.4:0"];
    let home = Home::new().with("AUTH_LISTEN", from_environment);
    fs::write(home.path(".env"), format!("AUTH_LISTEN={from_dotenv}\n")).unwrap();
    fs::write(home.path("auth.toml"), format!("auth_listen = \"{from_toml}\"\n")).unwrap();
    let arguments = ["--config", "auth.toml", "serve"];
    let listens = async |home: &Home| home.start_with(&arguments).await.address.ip().to_string();

    assert_eq!(listens(&home).await, "127.0.0.2");
    assert_eq!(listens(&home.clone().without("AUTH_LISTEN")).await, "127.0.0.3");
    // An empty value counts as not set.
    assert_eq!(listens(&home.clone().with("AUTH_LISTEN", "")).await, "127.0.0.3");
    fs::write(home.path(".env"), "AUTH_LISTEN=\n").unwrap();
    assert_eq!(listens(&home.without("AUTH_LISTEN")).await, "127.0.0.4");
}

/// A TOML file has the variables' names as keys, in either case, numbers where they are numbers, and lists.
#[tokio::test]
async fn toml_is_read_as_people_write_it() {
    let home = Home::new();
    let toml =
        "AUTH_THROTTLE = \"danger_off\"\nauth_access_ttl = 60\nauth_trusted_proxies = [\"10.0.0.0/8\", \"fd00::/8\"]\n";
    fs::write(home.path("auth.toml"), toml).unwrap();
    let server = home.start_with(&["serve", "--config", "auth.toml"]).await;
    assert!(server.log().contains("AUTH_THROTTLE=danger_off"), "{}", server.log());
}

/// SC3: mistakes are found wherever they stand, and what stands there isn't repeated.
#[test]
fn sc3_every_source_is_checked() {
    let home = Home::new().with("AUTH_FROM_ENVIRONMENT", "hunter2");
    fs::write(home.path(".env"), "AUTH_FROM_DOTENV=hunter2\nSOMETHING_ELSE=1\nhunter2 hunter2\n").unwrap();
    fs::write(home.path("auth.toml"), "auth_from_toml = \"hunter2\"\nauth_log = { hunter2 = 1 }\nlisten = 1\n")
        .unwrap();
    let refusal = home.failed(&["--config", "auth.toml"]);
    for mistake in [
        "AUTH_FROM_ENVIRONMENT in the environment",
        "AUTH_FROM_DOTENV in .env",
        "auth_from_toml in auth.toml",
        "listen in auth.toml",
        "AUTH_LOG in auth.toml must be a text",
        ".env has a line that can't be read",
    ] {
        assert!(refusal.contains(mistake), "{mistake}: {refusal}");
    }
    assert!(!refusal.contains("hunter2") && !refusal.contains("SOMETHING_ELSE"), "{refusal}");

    fs::write(home.path("auth.toml"), "auth_log = \"info\"\nsmtp_pass = hunter2\n").unwrap();
    let refusal = home.failed(&["--config", "auth.toml"]);
    assert!(refusal.contains("auth.toml is not valid TOML (line 2)") && !refusal.contains("hunter2"), "{refusal}");
    assert!(home.failed(&["--config", "missing.toml"]).contains("missing.toml can't be read"));
}

/// What Kubernetes makes up for a service called `auth` is no mistake.
#[tokio::test]
async fn variables_of_kubernetes_are_passed_over() {
    let home = Home::new().with("AUTH_SERVICE_HOST", "10.0.0.1").with("AUTH_SERVICE_PORT", "8080");
    let home = home.with("AUTH_PORT", "tcp://10.0.0.1:8080").with("AUTH_PORT_8080_TCP", "tcp://10.0.0.1:8080");
    home.with("AUTH_PORT_8080_TCP_ADDR", "10.0.0.1").start().await.stop().await;
}

/// A file further up belongs to somebody else.
#[tokio::test]
async fn dotenv_is_read_in_the_current_folder_only() {
    let home = Home::new();
    fs::write(home.path(".env"), "AUTH_NONSENSE=1\n").unwrap();
    assert!(home.refused().contains("AUTH_NONSENSE"));
    home.below("deeper").start().await.stop().await;
}

/// Copied as they are, the examples change nothing.
#[tokio::test]
async fn the_examples_can_be_copied() {
    let home = Home::new();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example"), home.path(".env")).unwrap();
    home.start().await.stop().await;
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../portcullis.example.toml"), home.path("auth.toml")).unwrap();
    home.start_with(&["--config", "auth.toml"]).await.stop().await;
}
