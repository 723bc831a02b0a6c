//! From the first start to the first sign-out, as the README tells it.

use hyper::Method;
use serde_json::json;

use crate::support::client::Client;
use crate::support::database::{Backend, Postgres, Site};
use crate::support::mail::Inbox;
use crate::support::mariadb::Mariadb;
use crate::support::person::{Person, Tokens};
use crate::support::process::Home;
use crate::support::{eventually, report, server};

/// On SQLite, with nothing configured: the code is on the console.
#[tokio::test]
async fn on_sqlite_with_the_code_from_the_console() {
    with_the_code_from_the_console(Home::new()).await;
}

/// The same through Rocket, whatever Rocket's own configuration says: it isn't read, and nothing else is printed.
#[tokio::test]
async fn through_rocket() {
    let home = Home::new().with("AUTH_WEB", "rocket").with("ROCKET_PORT", "1").with("ROCKET_LOG_LEVEL", "debug");
    let mistakes = "[default]\naddress = \"nowhere\"\nlimits = 7\n";
    std::fs::write(home.path("Rocket.toml"), mistakes).unwrap();
    let home = home.with("ROCKET_IDENT", "canary").with("ROCKET_IP_HEADER", "x-canary");
    with_the_code_from_the_console(home.clone()).await;

    let server = home.with("MAIL_DIR", "mails").with("AUTH_MAILER", "file").with("AUTH_LOG", "trace").start().await;
    let client = server.client();
    for (path, status, media_type) in [
        ("/healthz", 200, "application/json"),
        ("/readyz", 200, "application/json"),
        ("/openapi.json", 200, "application/json"),
        ("/openapi", 200, "text/html; charset=utf-8"),
        ("/.well-known/jwks.json", 200, "application/json"),
        ("/verify-email?token=canary-canary-canary-canary-canary-canary-x", 400, "text/html; charset=utf-8"),
    ] {
        let reply = client.root(path).send().await;
        assert_eq!((reply.status, &reply.headers["content-type"]), (status, &media_type.parse().unwrap()), "{path}");
        assert!(!reply.headers.contains_key("server"), "{reply:?}");
    }
    client.root("/nowhere").problem(404, "NOT_FOUND").await;
    assert_eq!(server.output().lines().count(), 1, "{}", server.output());
    assert!(!server.log().contains("canary"), "{}", server.log());
    server.stop().await;
}

async fn with_the_code_from_the_console(home: Home) {
    let server = home.start().await;
    let person = Person::registered(&server.client()).await;
    let code = eventually("a code on the console", async || {
        let console = server.output();
        let (_, mail) = console.split_once(&format!("Mail (verify) to {}", person.email))?;
        mail.lines().find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned)
    })
    .await;
    assert_eq!(home.mails().wait_for(&person.email, "verify").await.code(), code);
    from_code_to_sign_out(&server.client(), &person, &code).await;
    server.stop().await;
}

/// On PostgreSQL: the server asks for the migration first, and names it.
#[tokio::test]
async fn on_postgres_after_migrating() {
    let Some(database) = Postgres::empty().await else { return };
    after_migrating(database.home()).await;
}

/// On MariaDB, whose addresses begin with either name.
#[tokio::test]
async fn on_mariadb_after_migrating() {
    let Some(database) = Mariadb::empty().await else { return };
    let url = database.url().replace("mysql://", "mariadb://");
    after_migrating(database.home().with("DATABASE_URL", &url)).await;
}

async fn after_migrating(home: Home) {
    let refusal = home.refused();
    assert!(refusal.contains("0001_accounts") && refusal.contains("auth-server migrate"), "{refusal}");
    assert_eq!(home.done(&["migrate"]), "applied 0001_accounts\napplied 0002_second_factors\n");
    assert_eq!(home.done(&["migrate"]), "the schema is up to date\n");
    assert_eq!(home.done(&["--json", "migrate"]), "{\"applied\":[]}\n");

    let server = home.start().await;
    let person = Person::registered(&server.client()).await;
    let code = home.mails().wait_for(&person.email, "verify").await.code();
    from_code_to_sign_out(&server.client(), &person, &code).await;
    server.stop().await;
}

/// With a real mail server in between.
#[tokio::test]
async fn with_mail_by_smtp() {
    let Some(url) = server("smtp", "PORTCULLIS_TEST_SMTP") else { return };
    let address = url.strip_prefix("smtp://").unwrap();
    let (host, port) = address.rsplit_once(':').unwrap();
    let maildir = std::env::var_os("PORTCULLIS_TEST_MAILDIR").expect("PORTCULLIS_TEST_MAILDIR beside the server's URL");
    let inbox = Inbox::Folder(std::path::Path::new(&maildir).join("new"));
    report("smtp", &greeting(address).await);

    let site = Site::on(Backend::Sqlite).await.unwrap();
    let home = site.home.with("SMTP_HOST", host).with("SMTP_PORT", port).with("SMTP_TLS", "none");
    let server = home.with("MAIL_FROM", "Acme <no-reply@acme.example>").start().await;
    let person = Person::registered(&server.client()).await;
    let code = inbox.wait_for(&person.email, "verify").await.code();
    from_code_to_sign_out(&server.client(), &person, &code).await;
    assert_eq!(server.output().lines().count(), 1, "no mail on the console: {}", server.output());
    server.stop().await;
}

/// Verify → sign in → who am I → refresh → sign out.
async fn from_code_to_sign_out(client: &Client, person: &Person, code: &str) {
    let proof = json!({ "email": person.email, "code": code });
    let verified = client.post("/verify/confirm", &proof).expect(200).await;
    assert_eq!(verified["user"]["emailVerified"], true);

    let tokens = person.sign_in(client).await;
    let me = tokens.me(client).expect(200).await;
    assert_eq!(me["user"], verified["user"]);

    let refreshed = Tokens::of(&tokens.refresh(client).expect(200).await);
    refreshed.me(client).expect(200).await;
    assert_ne!(refreshed.refresh, tokens.refresh);

    // As curl does it: no body, no media type.
    client.call(Method::POST, "/v1/auth/logout").bearer(&refreshed.access).expect(204).await;
    refreshed.me(client).problem(401, "UNAUTHORIZED").await;
    refreshed.refresh(client).problem(401, "UNAUTHORIZED").await;
}

/// `aiosmtpd 1.4.3`, from the greeting `220 host Python SMTP 1.4.3`.
async fn greeting(address: &str) -> String {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut greeting = String::new();
    BufReader::new(tokio::net::TcpStream::connect(address).await.unwrap()).read_line(&mut greeting).await.unwrap();
    match greeting.trim().split_once("Python SMTP ") {
        Some((_, version)) => format!("aiosmtpd {version}"),
        None => greeting.trim().to_owned(),
    }
}
