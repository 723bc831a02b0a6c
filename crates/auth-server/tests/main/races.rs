//! Requests through two processes on one store, released at one moment.

use std::collections::BTreeSet;

use hyper::header::HeaderName;
use serde_json::json;

use crate::support::client::Client;
use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::person::{Person, Tokens};
use crate::support::process::Server;
use crate::support::race::{count, race, single};

const RACERS: usize = 50;

on_each_backend!(
    by each library:
    en3_one_address_is_one_user,
    vt3_a_reset_link_is_spent_once,
    rr3_a_refresh_token_has_one_successor,
    id1_a_key_has_one_effect,
    se5_signing_out_counts_on_every_node,
);

/// Two processes on one store, each of another framework.
struct Nodes {
    servers: [Server; 2],
    /// After the servers: a database in use is dropped late.
    site: Site,
}

impl Nodes {
    async fn on(backend: Backend) -> Option<Self> {
        // One address for clients: what one node issues, the other must take for its own.
        let site = Site::unthrottled(backend).await?.with("PUBLIC_URL", "http://127.0.0.1:8080");
        let rocket = site.home.clone().with("AUTH_WEB", "rocket");
        Some(Self { servers: [site.home.start().await, rocket.start().await], site })
    }

    /// The nodes in turn.
    fn client(&self, i: usize) -> Client {
        self.servers[i % 2].client()
    }
}

/// EN3: of 50 racing registrations of one address, however it is spelt, one makes a user: the winner's.
async fn en3_one_address_is_one_user(backend: Backend) {
    let Some(nodes) = Nodes::on(backend).await else { return };
    let person = Person::new();
    let spellings = [person.email.clone(), person.email.to_uppercase(), person.email.replace("ann", "Ann")];
    let racer = |i: usize| Person {
        email: spellings[i % spellings.len()].clone(),
        password: format!("{} {i}", person.password),
    };

    let replies = race((0..RACERS).map(|i| racer(i).register(&nodes.client(i)))).await;

    let winner = single(&replies, 201, (409, "CONFLICT"));
    let sign_ins = race((0..RACERS).map(|i| racer(i).login(&nodes.client(i + 1)))).await;
    assert_eq!(single(&sign_ins, 200, (401, "UNAUTHORIZED")), winner);
    assert_eq!(sign_ins[winner].json()["user"]["id"], replies[winner].json()["user"]["id"]);
}

/// VT3: of 50 racing uses of one reset link, one sets its password.
async fn vt3_a_reset_link_is_spent_once(backend: Backend) {
    let Some(nodes) = Nodes::on(backend).await else { return };
    let person = Person::registered(&nodes.client(0)).await;
    nodes.client(0).post("/password/reset/request", &json!({ "email": person.email })).expect(202).await;
    let token = nodes.site.home.mails().wait_for(&person.email, "reset").await.token();
    let racer = |i: usize| person.with_password(&format!("{} {i}", person.password));

    let replies = race((0..RACERS).map(|i| {
        let body = json!({ "token": token, "password": racer(i).password });
        nodes.client(i).post("/password/reset/confirm", &body)
    }))
    .await;

    let winner = single(&replies, 204, (400, "TOKEN_INVALID"));
    let sign_ins = race((0..RACERS).map(|i| racer(i).login(&nodes.client(i + 1)))).await;
    assert_eq!(single(&sign_ins, 200, (401, "UNAUTHORIZED")), winner);
    person.login(&nodes.client(0)).problem(401, "UNAUTHORIZED").await;
}

/// RR3: of 50 racing exchanges of one refresh token, one gets the successor, and the session lives on.
async fn rr3_a_refresh_token_has_one_successor(backend: Backend) {
    let Some(nodes) = Nodes::on(backend).await else { return };
    let person = Person::registered(&nodes.client(0)).await;
    let tokens = person.sign_in(&nodes.client(1)).await;

    let replies = race((0..RACERS).map(|i| tokens.refresh(&nodes.client(i)))).await;

    let winner = single(&replies, 200, (401, "UNAUTHORIZED"));
    let successor = Tokens::of(&replies[winner].json());
    for i in 0..2 {
        successor.me(&nodes.client(i)).expect(200).await;
    }
    successor.refresh(&nodes.client(winner + 1)).expect(200).await;
}

/// ID1: 50 racing requests under one key make one user; each is answered with the first one's reply, or told that the
/// first is still under way.
async fn id1_a_key_has_one_effect(backend: Backend) {
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    let Some(nodes) = Nodes::on(backend).await else { return };
    let person = Person::new();
    let register =
        |i: usize| person.register(&nodes.client(i)).header(IDEMPOTENCY_KEY, "8e03978e-40d5-43dd-bc93-6894a57f9324");

    let mut replies = race((0..RACERS).map(register)).await;

    // Who comes back later hears how it went, from either node.
    replies.extend([register(0).send().await, register(1).send().await]);
    let bodies: BTreeSet<_> = replies.iter().filter(|reply| reply.status == 201).map(|reply| &reply.body).collect();
    assert_eq!(bodies.len(), 1, "{replies:?}");
    assert!(count(&replies, 201) >= 3);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        reply.is_problem(409, "IDEMPOTENCY_IN_PROGRESS");
    }
    let id = person.login(&nodes.client(0)).expect(200).await["user"]["id"].clone();
    assert_eq!(id, replies[RACERS].json()["user"]["id"]);
    assert_eq!(nodes.site.home.mails().wait_for(&person.email, "verify").await.to, person.email);
    assert_eq!(nodes.site.home.mails().mails_to(&person.email, "verify").len(), 1);
}

/// SE5: what one node ends is dead on the other with the next request.
async fn se5_signing_out_counts_on_every_node(backend: Backend) {
    let Some(nodes) = Nodes::on(backend).await else { return };
    let (here, there) = (nodes.client(0), nodes.client(1));
    let person = Person::registered(&here).await;

    for end in ["/logout", "/logout/all"] {
        let tokens = person.sign_in(&here).await;
        tokens.me(&there).expect(200).await;
        here.post(end, &json!({})).bearer(&tokens.access).expect(204).await;
        tokens.me(&there).problem(401, "UNAUTHORIZED").await;
        tokens.refresh(&there).problem(401, "UNAUTHORIZED").await;
    }

    let tokens = person.sign_in(&here).await;
    let body = json!({ "currentPassword": person.password, "newPassword": "another fine umbrella" });
    let changed = Tokens::of(&there.post("/password/change", &body).bearer(&tokens.access).expect(200).await);
    tokens.me(&here).problem(401, "UNAUTHORIZED").await;
    changed.me(&here).expect(200).await;
}

/// LT3: of 50 racing guesses at one account, no more are compared than the limit says.
#[tokio::test]
async fn lt3_guesses_are_counted_before_they_are_compared() {
    let site = Site::on(Backend::Sqlite).await.unwrap();
    let server = site.home.start().await;
    let person = Person::registered(&server.client()).await;
    let guess = |i: usize| person.with_password(&format!("a wrong guess {i}")).login(&server.client());

    let replies = race((0..RACERS).map(guess)).await;

    assert_eq!((count(&replies, 401), count(&replies, 429)), (10, 40), "{replies:?}");
    for reply in replies.iter().filter(|reply| reply.status == 429) {
        reply.is_problem(429, "RATE_LIMITED");
        assert!(reply.headers.contains_key("retry-after"));
    }
    // LT5: the right password fares no better.
    person.login(&server.client()).problem(429, "RATE_LIMITED").await;
}
