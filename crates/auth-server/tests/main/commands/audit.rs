//! `audit`: what happened.

use serde_json::json;

use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::person::Person;

on_each_backend!(au1_the_log_can_be_read);

/// AU1: by user and kind, by page, newest first; what the command line did is in it, and who did it isn't made up.
async fn au1_the_log_can_be_read(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let server = site.home.start().await;
    let client = server.client();
    let (ann, bob) = (Person::registered(&client).await, Person::registered(&client).await);
    ann.sign_in(&client).await;
    ann.with_password("not what it was").login(&client).problem(401, "UNAUTHORIZED").await;
    site.home.done(&["user", "suspend", &bob.email]);

    let list = |arguments: &[&str]| site.home.json(&[&["audit", "list"], arguments].concat());
    let kinds = |page: &serde_json::Value| -> Vec<String> {
        let events = page["events"].as_array().unwrap();
        events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    let of_ann = list(&["--user", &ann.email]);
    assert_eq!(kinds(&of_ann), ["session.refused", "session.opened", "user.registered"]);
    let event = &of_ann["events"][1];
    assert_eq!(event["actorId"], event["subjectId"]);
    assert_eq!(event["ip"], "127.0.0.1");
    assert!(event["requestId"].is_string() && event["detail"]["session"].is_string(), "{event}");

    let of_bob = list(&["--user", &bob.email, "--kind", "user.suspended"]);
    let event = &of_bob["events"][0];
    assert_eq!(
        (&event["actorId"], &event["ip"], &event["userAgent"]),
        (&json!(null), &json!(null), &json!("auth-server"))
    );

    let all = kinds(&list(&[]));
    let first = list(&["--limit", "2"]);
    let second = list(&["--before", first["nextCursor"].as_str().unwrap()]);
    assert_eq!([kinds(&first), kinds(&second)].concat(), all);
    assert_eq!(second["nextCursor"], json!(null));

    let text = site.home.done(&["audit", "list", "--kind", "session.opened"]);
    assert!(text.starts_with("AT ") && text.contains("session.opened") && text.contains("session="), "{text}");
    assert_eq!(site.home.run(&["audit", "list", "--kind", "session.nonsense"]).status.code(), Some(2));
}
