//! `mail`: the outbox.

use serde_json::json;

use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::eventually;
use crate::support::mail::Inbox;
use crate::support::person::Person;
use crate::support::smtp::{Service, Smtp};

on_each_backend!(df3_given_up_mail_is_sent_again);

/// DF3: mail that a server refused for good is seen, and sent once that is mended.
async fn df3_given_up_mail_is_sent_again(backend: Backend) {
    let smtp = Smtp::new(Service::Refusing);
    let Some(site) = Site::on(backend).await else { return };
    let site = site.with("SMTP_HOST", "127.0.0.1").with("SMTP_PORT", &smtp.port.to_string()).with("SMTP_TLS", "none");
    let site = site.with("MAIL_FROM", "no-reply@acme.example");
    let server = site.home.start().await;
    let people = [Person::registered(&server.client()).await, Person::registered(&server.client()).await];
    let list = |arguments: &[&str]| site.home.json(&[&["mail", "list"], arguments].concat())["mails"].clone();
    let dead = eventually("two dead letters", async || {
        let dead = list(&["--state", "dead"]);
        (dead.as_array().unwrap().len() == 2).then_some(dead)
    })
    .await;
    let of_one = list(&["--user", &people[0].email]);
    assert_eq!(of_one, json!([dead[1]]), "newest first");
    assert_eq!((&of_one[0]["to"], &of_one[0]["kind"]), (&json!(people[0].email), &json!("verify")));
    assert!(of_one[0]["reason"].as_str().unwrap().contains("no such user"), "{of_one}");
    let text = site.home.done(&["mail", "list"]);
    assert!(text.contains(&people[1].email) && text.contains("dead"), "{text}");

    smtp.set(Service::Up);
    let inbox = Inbox::Smtp(smtp);
    let id = of_one[0]["id"].as_str().unwrap();
    assert_eq!(site.home.done(&["mail", "retry", id]), "1 mail is sent again\n");
    let code = inbox.wait_for(&people[0].email, "verify").await.code();
    let body = json!({ "email": people[0].email, "code": code });
    server.client().post("/verify/confirm", &body).expect(200).await;
    assert_eq!(site.home.json(&["mail", "retry", "--all"]), json!({ "retried": 1 }));
    inbox.wait_for(&people[1].email, "verify").await;
    eventually("both are sent", async || (list(&["--state", "sent"]).as_array().unwrap().len() == 2).then_some(()))
        .await;

    assert_eq!(site.home.json(&["mail", "retry", "--all"]), json!({ "retried": 0 }));
    assert!(site.home.failed(&["mail", "retry", id]).contains("was given up"));
    for wrong in [&["retry"][..], &["retry", id, "--all"], &["retry", "it"], &["list", "--state", "lost"]] {
        assert_eq!(site.home.run(&[&["mail"], wrong].concat()).status.code(), Some(2), "{wrong:?}");
    }
}
