//! Mail leaves once, to whom it is for, and holds up nobody.

use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::{LeaseId, MailKind, SessionKey};
use auth_core::flow::{housekeeping, mail, register, reset_password};
use auth_core::port::Change;

use super::World;
use super::world::{OTHER, context, created, password, registration};
use crate::given;
use crate::inbox::Behaviour;
use crate::race::race;

/// DF3: the mail server is away: requests go on, and the mail arrives when it is back, the first retry within 5 s.
pub async fn df3_mail_survives_an_outage(world: World) {
    world.inbox.set(Behaviour::Defer);
    let user = world.register().await;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        world.deliver().await;
        let before = world.inbox.attempts();
        let mut pause = 0;
        while world.inbox.attempts() == before {
            world.clock.advance(Duration::from_secs(1));
            pause += 1;
            world.deliver().await;
        }
        pauses.push(pause);
    }
    assert_eq!(pauses, [4, 8, 16, 32, 64, 128, 256, 300]);
    assert!(world.inbox.mails().is_empty());

    world.inbox.set(Behaviour::Accept);
    world.clock.advance(Duration::from_secs(300));
    world.deliver().await;
    let (code, _) = world.proofs(&user, MailKind::Verify);
    auth_core::flow::verify_email::confirm(world.auth(), &code, &context(1)).await.expect("the code that arrived");
    world.clock.advance(Duration::from_secs(3600));
    world.deliver().await;
    assert_eq!(world.inbox.mails().len(), 1, "once");
}

/// DF3: a mail server that never answers holds up neither requests nor, once its lease is over, the mail.
pub async fn df3_a_hung_server_holds_up_no_request(world: World) {
    world.inbox.set(Behaviour::Hang);
    let (auth, inbox) = (world.nodes[1].clone(), world.inbox.clone());
    let user = world.register().await;
    let worker = tokio::spawn(async move { mail::deliver(&auth, &*inbox).await });
    world.inbox.wait_for_attempts(1).await;
    world.register().await;
    world.sign_in(&user).await;
    // The worker's process dies with the mail in its hands.
    worker.abort();
    let _ = worker.await;

    world.inbox.set(Behaviour::Accept);
    world.clock.advance(Duration::from_secs(29));
    world.deliver().await;
    assert!(world.inbox.mails_to(&user.email).is_empty(), "still leased");
    world.clock.advance(Duration::from_secs(1));
    world.deliver().await;
    assert_eq!(world.inbox.mails_to(&user.email).len(), 1);
}

/// DF3: a mail that nobody answers for holds up no other.
pub async fn df3_a_hung_mail_holds_up_no_other(world: World) {
    world.inbox.set(Behaviour::Hang);
    world.register().await;
    let (auth, inbox) = (world.nodes[0].clone(), world.inbox.clone());
    let worker = tokio::spawn(async move { mail::run(&auth, &*inbox, std::future::pending()).await });
    world.inbox.wait_for_attempts(1).await;

    world.inbox.set(Behaviour::Accept);
    let user = world.register().await;
    world.inbox.wait_for(&user.email, MailKind::Verify, 1).await;
    worker.abort();
}

/// DF3: a mailer that panics takes neither the worker with it nor the mail.
pub async fn df3_a_panicking_mailer_loses_nothing(world: World) {
    world.inbox.set(Behaviour::Panic);
    let user = world.register().await;
    world.deliver().await;
    world.inbox.set(Behaviour::Accept);
    world.clock.advance(Duration::from_secs(4));
    world.deliver().await;
    assert_eq!(world.inbox.mails_to(&user.email).len(), 1);
}

/// DF3: mail being sent takes no connection away from requests, though there be only one.
pub async fn df3_sending_holds_up_no_commit(world: World) {
    let (auth, inbox) = (world.nodes[0].clone(), world.inbox.clone());
    let worker = tokio::spawn(async move { mail::run(&auth, &*inbox, std::future::pending()).await });
    let users = race(19, |_| {
        let auth = world.nodes[0].clone();
        async move { register::register(&auth, registration(given::email()), &context(1)).await }
    });
    for user in users.await.0 {
        let user = created(user.expect("registered, while mail is being sent"));
        world.inbox.wait_for(&user.email, MailKind::Verify, 1).await;
    }
    worker.abort();
}

/// A mail that is refused for good is given up, and nothing else with it.
pub async fn refused_mail_is_buried(world: World) {
    world.inbox.set(Behaviour::Refuse);
    let user = world.register().await;
    world.deliver().await;
    world.inbox.set(Behaviour::Accept);
    world.clock.advance(Duration::from_secs(3600));
    world.deliver().await;
    assert!(world.inbox.mails().is_empty());
    let (code, _) = world.reset_mail(&user).await;
    reset_password::confirm(world.auth(), &code, &password(OTHER), &context(1)).await.expect("the next mail");
}

/// A mail whose link has expired isn't sent any more.
pub async fn expired_mail_is_not_sent(world: World) {
    let user = world.register().await;
    world.deliver().await;
    reset_password::request(world.auth(), &user.email, &context(1)).await.unwrap();
    world.clock.advance(Duration::from_secs(3600));
    world.deliver().await;
    assert_eq!(world.inbox.mails().len(), 1, "the verification only");
}

/// DF3: any number of workers on both nodes send each mail once.
pub async fn two_workers_send_once(world: World) {
    let mut users = Vec::new();
    for _ in 0..19 {
        users.push(world.register().await);
    }
    race(10, |i| {
        let (auth, inbox) = (world.nodes[i % 2].clone(), world.inbox.clone());
        async move { while mail::deliver(&auth, &*inbox).await.expect("the outbox") > 0 {} }
    })
    .await;
    world.deliver().await;
    assert_eq!(world.inbox.mails().len(), users.len());
    for user in &users {
        assert_eq!(world.inbox.mails_to(&user.email).len(), 1);
    }
}

/// SC4: who can write to the outbox, but hasn't the pepper, can't have somebody else's mail sent to himself.
pub async fn sc4_a_swapped_recipient_gains_nothing(world: World) {
    world.register().await;
    let (now, attacker) = (world.clock_now(), given::email());
    let lease: LeaseId = given::id();
    let leased = world.handles[0].lease_mail(lease, now, now + Duration::from_secs(1), 10).await.unwrap();
    let mut stolen = leased[0].mail.clone();
    stolen.id = given::id();
    stolen.to = attacker.clone();
    world.handles[0].commit(&[Change::Enqueue(stolen)]).await.unwrap();
    world.clock.advance(Duration::from_secs(2));
    world.deliver().await;
    assert!(world.inbox.mails_to(&attacker).is_empty());
    assert_eq!(world.inbox.mails().len(), 1, "the owner's");
}

/// Of all nodes one cleans in an hour, and what has expired is gone afterwards.
pub async fn housekeeping_is_done_by_one_node(world: World) {
    let user = world.register().await;
    let session = world.sign_in(&user).await;
    world.deliver().await;
    let counts = race(10, |i| {
        let auth = world.nodes[i % 2].clone();
        async move { housekeeping::clean(&auth).await }
    })
    .await;
    assert!(counts.0.iter().all(Result::is_ok));

    world.clock.advance(Duration::from_secs(40 * 24 * 3600));
    let first: &Arc<_> = &world.nodes[0];
    let deleted = housekeeping::clean(first).await.unwrap();
    assert!(deleted >= 2, "the session and the token: {deleted}");
    assert!(world.handles[0].find_session(&SessionKey::Id(session.session.id)).await.unwrap().is_none());
    assert!(world.handles[0].find_user(user.id).await.unwrap().is_some(), "users stay");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(housekeeping::clean(&world.nodes[1]).await.unwrap(), 0, "the other node, within the hour");
}
