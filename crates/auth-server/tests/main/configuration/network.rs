//! Development defaults don't face the network.

use hyper::header::HOST;

use crate::support::client::Call;
use crate::support::person::Person;
use crate::support::process::Home;

/// SC5: with mail to the console, or without a public address, loopback names are answered and no other.
#[tokio::test]
async fn sc5_development_defaults_answer_loopback_only() {
    for home in [Home::new(), Home::new().with("PUBLIC_URL", "https://auth.example.com"), with_smtp(Home::new())] {
        let server = home.start().await;
        let client = server.client();
        for host in ["example.com", "auth.example.com", "127.0.0.1.example.com", "10.0.0.1:8080"] {
            client.get("/me").header(HOST, host).problem(421, "MISDIRECTED").await;
            client.root("/healthz").header(HOST, host).problem(421, "MISDIRECTED").await;
            Person::new().register(&client).header(HOST, host).problem(421, "MISDIRECTED").await;
        }
        assert!(server.log().contains("421") && server.log().contains("PUBLIC_URL"), "{}", server.log());
        for host in ["localhost", "127.0.0.1:1", "[::1]", "app.localhost:8080"] {
            client.get("/me").header(HOST, host).problem(401, "UNAUTHORIZED").await;
        }
    }
}

/// SC5: with both, any name: what is before the server decides that.
#[tokio::test]
async fn sc5_a_configured_server_answers_under_any_name() {
    let server = with_smtp(Home::new().with("PUBLIC_URL", "https://auth.example.com")).start().await;
    let as_example = |call: Call| call.header(HOST, "example.com");
    as_example(server.client().get("/me")).problem(401, "UNAUTHORIZED").await;
    as_example(server.client().root("/healthz")).expect(200).await;
}

/// SC5: `--dev` leaves out what faces the network, whatever else is configured.
#[tokio::test]
async fn sc5_dev_mails_nobody() {
    let home = with_smtp(Home::new().with("PUBLIC_URL", "https://auth.example.com"));
    let server = home.start_with(&["serve", "--dev"]).await;
    server.client().get("/me").header(HOST, "auth.example.com").problem(421, "MISDIRECTED").await;
    let person = Person::registered(&server.client()).await;
    home.mails().wait_for(&person.email, "verify").await;

    let refusal = home.with("AUTH_LISTEN", "0.0.0.0:0").failed(&["serve", "--dev"]);
    assert!(refusal.contains("AUTH_LISTEN is not loopback"), "{refusal}");
}

/// A mail server that nobody calls here.
fn with_smtp(home: Home) -> Home {
    home.with("SMTP_HOST", "smtp.example.com").with("MAIL_FROM", "Acme <no-reply@acme.example>")
}
