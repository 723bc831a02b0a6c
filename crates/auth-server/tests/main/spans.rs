//! What the log tells of each request.

use hyper::Method;
use hyper::header::HeaderName;
use uuid::Uuid;

use crate::support::person::Person;
use crate::support::process::Home;

/// AU2: a span names route, operation, user and outcome, and nothing that stands in path, query, headers or body.
#[tokio::test]
async fn au2_each_request_has_a_span() {
    each_request_has_a_span(Home::new()).await;
}

/// AU2: the same through Rocket.
#[tokio::test]
async fn au2_each_request_through_rocket_has_a_span() {
    each_request_has_a_span(Home::new().with("AUTH_WEB", "rocket")).await;
}

async fn each_request_has_a_span(home: Home) {
    let server = home.with("AUTH_LOG", "info,auth_http::span=debug").start().await;
    let client = server.client();
    let person = Person::registered(&client).await;
    let tokens = person.sign_in(&client).await;
    let user = tokens.me(&client).expect(200).await["user"]["id"].as_str().unwrap().to_owned();
    let other = Uuid::from_bytes(rand::random());
    let path = format!("/v1/auth/sessions/{other}?token=canary");
    let ours = |id: &str| (HeaderName::from_static("x-request-id"), id.to_owned());
    let (name, id) = ours("of-our-own");
    client.call(Method::DELETE, &path).bearer(&tokens.access).header(name.clone(), &id).send().await;
    client.root("/verify-email?token=canary").header(name.clone(), "to-a-page").send().await;
    client.root("/canary?token=canary").header(name, "to-nowhere").send().await;

    let log = server.log();
    let line = |id: &str| {
        let mut lines = log.lines().filter(|line| line.contains(&format!("request_id=\"{id}\"")));
        let line = lines.next().unwrap_or_else(|| panic!("nothing of {id}: {log}"));
        assert_eq!(lines.next(), None, "{id}");
        line
    };
    for field in
        ["method=DELETE", r#"route="/v1/auth/sessions/{id}""#, "operation=EndSession", "status=404", "latency_ms="]
    {
        assert!(line("of-our-own").contains(field), "{field}: {log}");
    }
    assert!(line("of-our-own").contains(&format!("user={user}")), "{log}");
    assert!(line("to-a-page").contains(r#"route="/verify-email""#), "{log}");
    assert!(line("to-nowhere").contains("status=404"), "{log}");
    assert_eq!(log.matches("operation=SignIn ").count(), 1, "{log}");
    for secret in [&person.email, &person.password, &tokens.access, &other.to_string(), "canary"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    server.stop().await;
}
