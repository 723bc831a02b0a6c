//! What holds between the nodes of a service, however many there are and whatever they share.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header::HeaderName;
use serde_json::json;

use super::client::{Call, Reply};
use super::nodes::Nodes;
use super::person::{Person, Tokens};
use super::race::{count, race, single};

const RACERS: usize = 50;

/// EN3: of 50 racing registrations of one address, however it is spelt, one makes a user: the winner's.
pub(crate) async fn en3_one_address_is_one_user(nodes: Nodes) {
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
pub(crate) async fn vt3_a_reset_link_is_spent_once(nodes: Nodes) {
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
pub(crate) async fn rr3_a_refresh_token_has_one_successor(nodes: Nodes) {
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
pub(crate) async fn id1_a_key_has_one_effect(nodes: Nodes) {
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
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

/// How long a node may go on by what it knew, where it has copies of its own (`AUTH_LOCAL_CACHE`).
pub(crate) const LOCAL_CACHE: Duration = Duration::from_secs(1);

/// SE5: what one node ends is dead on the others with the next request.
pub(crate) async fn se5_what_ends_is_dead_on_every_node(nodes: Nodes) {
    ends_are_heard(&nodes, Duration::ZERO).await;
}

/// SE5: the same within a second, where nodes have copies of their own.
pub(crate) async fn se5_what_ends_is_dead_within_a_second(nodes: Nodes) {
    ends_are_heard(&nodes, LOCAL_CACHE).await;
}

/// Whatever ends a session or changes a role on one node, or by a command beside them, counts on all others for requests that are
/// sent after `bound`.
async fn ends_are_heard(nodes: &Nodes, bound: Duration) {
    let here = nodes.client(0);
    let others = || (1..nodes.servers.len()).map(|i| nodes.client(i));
    let person = Person::registered(&here).await;
    // Asked more than once: what they have copies of they go by.
    let known = async |tokens: &Tokens| {
        for there in others() {
            for _ in 0..3 {
                tokens.me(&there).expect(200).await;
            }
        }
    };
    let ended = async |tokens: &Tokens| {
        let since = Instant::now();
        for there in others() {
            until(since, bound, || tokens.me(&there), |reply| reply.status == 401).await;
            tokens.refresh(&there).problem(401, "UNAUTHORIZED").await;
        }
    };

    for end in ["/logout", "/logout/all"] {
        let tokens = person.sign_in(&here).await;
        known(&tokens).await;
        here.post(end, &json!({})).bearer(&tokens.access).expect(204).await;
        ended(&tokens).await;
    }

    let tokens = person.sign_in(&here).await;
    known(&tokens).await;
    let body = json!({ "currentPassword": person.password, "newPassword": "another fine umbrella" });
    let changed = Tokens::of(&here.post("/password/change", &body).bearer(&tokens.access).expect(200).await);
    ended(&tokens).await;
    known(&changed).await;

    here.post("/password/reset/request", &json!({ "email": person.email })).expect(202).await;
    let token = nodes.site.home.mails().wait_for(&person.email, "reset").await.token();
    let body = json!({ "token": token, "password": person.password });
    here.post("/password/reset/confirm", &body).expect(204).await;
    ended(&changed).await;

    // What others do to somebody, from a shell.
    let home = &nodes.site.home;
    let tokens = person.sign_in(&here).await;
    for (command, holds) in [("grant", true), ("revoke", false)] {
        known(&tokens).await;
        home.done(&["role", command, &person.email, "editor"]);
        let since = Instant::now();
        for there in others() {
            let is_heard = |reply: &Reply| {
                let roles = reply.expect(200)["user"]["roles"].clone();
                roles.as_array().expect("roles").contains(&json!("editor")) == holds
            };
            until(since, bound, || tokens.me(&there), is_heard).await;
        }
    }
    home.done(&["user", "suspend", &person.email]);
    ended(&tokens).await;

    let leaver = Person::registered(&here).await;
    let tokens = leaver.sign_in(&here).await;
    known(&tokens).await;
    here.call(Method::DELETE, "/v1/auth/me").bearer(&tokens.access).expect(204).await;
    ended(&tokens).await;

    let tokens = Person::registered(&here).await.sign_in(&here).await;
    known(&tokens).await;
    home.done(&["sessions", "revoke-all"]);
    ended(&tokens).await;
}

/// Sends a request again and again until the reply is as it should be: that of the first that was sent `bound` after `since`, or
/// of one before.
pub(crate) async fn until(
    since: Instant,
    bound: Duration,
    request: impl Fn() -> Call,
    is_right: impl Fn(&Reply) -> bool,
) {
    loop {
        let sent_after = since.elapsed();
        let reply = request().send().await;
        if is_right(&reply) {
            return;
        }
        assert!(sent_after < bound, "{sent_after:?} later: {reply:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
