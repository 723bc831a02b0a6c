//! The mail server goes away, or hangs, and comes back.

use serde_json::json;

use crate::support::database::{Backend, Site};
use crate::support::eventually;
use crate::support::mail::Inbox;
use crate::support::person::Person;
use crate::support::smtp::{Service, Smtp};

/// DF3: while nothing listens there, requests are answered as ever; each mail arrives once somebody does.
#[tokio::test]
async fn df3_mail_waits_for_a_server_that_is_away() {
    mail_waits(Service::Away).await;
}

/// DF3: likewise while it takes connections and says nothing.
#[tokio::test]
async fn df3_mail_waits_for_a_server_that_hangs() {
    mail_waits(Service::Hung).await;
}

async fn mail_waits(outage: Service) {
    let smtp = Smtp::new(outage);
    let inbox = Inbox::Smtp(smtp.clone());
    let site = Site::unthrottled(Backend::Sqlite).await.unwrap().with("SMTP_HOST", "127.0.0.1");
    let site = site.with("SMTP_PORT", &smtp.port.to_string()).with("SMTP_TLS", "none");
    let site = site.with("MAIL_FROM", "no-reply@acme.example");
    let server = site.home.start().await;
    let client = server.client();

    let mut people = Vec::new();
    for _ in 0..5 {
        let person = Person::registered(&client).await;
        person.sign_in(&client).await.me(&client).expect(200).await;
        client.post("/password/reset/request", &json!({ "email": person.email })).expect(202).await;
        people.push(person);
    }
    // It has been tried, all of it, and nobody was kept from their work.
    eventually("ten failed attempts", async || (server.log().matches("not taken").count() >= 10).then_some(())).await;
    for person in &people {
        person.sign_in(&client).await.me(&client).expect(200).await;
    }
    client.root("/readyz").expect(200).await;
    assert!(inbox.mails().is_empty());

    smtp.set(Service::Up);
    for person in &people {
        let code = inbox.wait_for(&person.email, "verify").await.code();
        client.post("/verify/confirm", &json!({ "email": person.email, "code": code })).expect(200).await;
        inbox.wait_for(&person.email, "reset").await;
    }
    // Without a device token, the second sign-in was from a new device.
    for person in &people {
        inbox.wait_for(&person.email, "new-device").await;
    }
    assert_eq!(inbox.mails().len(), 15, "each once: {:?}", inbox.mails());
    server.stop().await;
}
