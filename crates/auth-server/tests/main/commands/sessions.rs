//! `sessions`: ending them all.

use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::person::Person;

on_each_backend!(by each library: se7_every_session_ends);

/// SE7: of everybody, at once, at a server that runs; they sign in again as before.
async fn se7_every_session_ends(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let server = site.home.start().await;
    let client = server.client();
    let mut everybody = Vec::new();
    for _ in 0..3 {
        let person = Person::registered(&client).await;
        let tokens = person.sign_in(&client).await;
        tokens.me(&client).expect(200).await;
        everybody.push((person, tokens));
    }
    assert_eq!(site.home.done(&["sessions", "revoke-all"]), "every session of every user is ended\n");
    for (person, tokens) in &everybody {
        tokens.me(&client).problem(401, "UNAUTHORIZED").await;
        tokens.refresh(&client).problem(401, "UNAUTHORIZED").await;
        person.sign_in(&client).await.me(&client).expect(200).await;
    }
    let events = site.home.json(&["audit", "list", "--kind", "session.closed-for-all"]);
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
}
