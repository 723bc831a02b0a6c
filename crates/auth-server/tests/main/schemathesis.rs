//! Requests that nobody thought of: Schemathesis makes them up from the OpenAPI document, and judges the replies by it. No
//! reply is a 500, or has a status, a header, a media type or a body that the document doesn't know; what it forbids is
//! refused, what it allows is taken, and what asks for a credential is refused without one.
//!
//! `schemathesis/settings.toml` says what is sent. A failure prints the curl line that shows it.

use std::process::Command;

use hyper::Method;
use hyper::header::{COOKIE, SET_COOKIE};

use crate::support::client::Client;
use crate::support::database::{Backend, Site};
use crate::support::person::Person;
use crate::support::process::{Home, Server};
use crate::support::{report, server};

const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/main/schemathesis/settings.toml");

/// The operations after which somebody isn't signed in any more, or under another secret: an administrator who finds their own
/// id can suspend themselves, and lose a role.
const ENDINGS: &str = r"\.(deleteAccount|endSession|endUserSessions|revokeRole|signOut|signOutEverywhere|suspendUser)$";

/// ER1
#[tokio::test]
async fn er1_made_up_requests_of_nobody() {
    let Some(program) = program() else { return };
    let home = profiles(Home::new());
    let server = home.start().await;
    let nobody = Credentials { access_token: "none".into(), session: "none".into(), csrf_token: "none".into() };
    judge(&program, &home, &server, &nobody, &[]);
}

/// ER1
#[tokio::test]
async fn er1_made_up_requests_of_a_user() {
    let Some(program) = program() else { return };
    made_up_requests(&program, profiles(Home::new()), &[]).await;
}

/// ER1, on the database that is particular about text.
#[tokio::test]
async fn er1_made_up_requests_of_an_admin() {
    let (Some(program), Some(site)) = (program(), Site::on(Backend::Postgres).await) else { return };
    made_up_requests(&program, profiles(site.home.clone()), &["--role", "admin"]).await;
}

/// Those of somebody with that account, who stays signed in but for the last of them.
async fn made_up_requests(program: &str, home: Home, account: &[&str]) {
    let person = Person::new();
    let create = [&["user", "create", &person.email, "--password-stdin"], account].concat();
    let output = home.run_with(&create, &person.password);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let server = home.start().await;
    let credentials = Credentials::of(&person, &server.client()).await;

    judge(program, &home, &server, &credentials, &["--exclude-operation-id-regex", ENDINGS]);
    credentials.are_good(&server.client()).await;
    judge(program, &home, &server, &credentials, &["--include-operation-id-regex", ENDINGS]);
}

/// A home whose server serves a profile for each delivery, and as many requests as there may be.
fn profiles(home: Home) -> Home {
    home.with("AUTH_PROFILE", "tokens,sessions").with("AUTH_THROTTLE", "danger_off")
}

/// One person's credentials, in each delivery.
struct Credentials {
    access_token: String,
    session: String,
    csrf_token: String,
}

impl Credentials {
    async fn of(person: &Person, client: &Client) -> Self {
        let access_token = person.sign_in(client).await.access;
        let reply = client.call(Method::POST, "/auth/login").json(&person.credentials()).send().await;
        let csrf_token = reply.expect(200)["csrfToken"].as_str().unwrap().to_owned();
        let cookies = reply.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
        let mut sessions = cookies.filter_map(|cookie| cookie.strip_prefix("session=")?.split(';').next());
        Self { access_token, session: sessions.next().unwrap().to_owned(), csrf_token }
    }

    /// The runs were those of somebody who was signed in.
    async fn are_good(&self, client: &Client) {
        client.get("/me").bearer(&self.access_token).expect(200).await;
        client.call(Method::GET, "/auth/me").header(COOKIE, &format!("session={}", self.session)).expect(200).await;
    }
}

/// Lets Schemathesis send what it likes to the operations that `selection` leaves.
fn judge(program: &str, home: &Home, server: &Server, credentials: &Credentials, selection: &[&str]) {
    let mut schemathesis = Command::new(program);
    schemathesis.args(["--no-color", "--config-file", SETTINGS, "run"]).args(selection);
    schemathesis.arg(format!("http://{}/openapi.json", server.address)).current_dir(home.path(""));
    schemathesis.env("ACCESS_TOKEN", &credentials.access_token).env("SESSION", &credentials.session);
    schemathesis.env("CSRF_TOKEN", &credentials.csrf_token);
    let output = schemathesis.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    // Where it finds nothing to test, it finds no fault.
    let tested = out.lines().find_map(|line| line.trim().strip_prefix("Tested: ")?.parse::<u32>().ok());
    assert!(tested.is_some_and(|operations| operations >= 10), "{out}");
    let log = server.log();
    assert!(!log.contains(" ERROR "), "{log}");
    report("schemathesis", &std::env::var("PORTCULLIS_TEST_SCHEMATHESIS_VERSION").unwrap_or_else(|_| "unknown".into()));
}

/// The program; `None` where the run leaves it out.
fn program() -> Option<String> {
    server("schemathesis", "PORTCULLIS_TEST_SCHEMATHESIS")
}
