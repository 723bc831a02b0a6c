//! `Idempotency-Key`: a registration that is sent twice happens once.

use serde_json::{Value, json};

use super::{Behaviour, Call, Mount, Person, World};
use crate::fault::{Fault, abandon};
use crate::given::{DAY, MINUTE, TICK};
use crate::race::race;

fn register(world: &World, person: &Person, key: &str) -> Call {
    world.post("/register", person.credentials()).from(&person.peer).header("idempotency-key", key)
}

/// ID1: of fifty at once one registers, and the others get its reply or are asked to wait.
pub async fn id1_one_effect_under_race(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.register_address.uses = 1000).await;
    let person = Person::new();
    let outcomes = race(50, |_| {
        let call = register(&world, &person, "one");
        async move { call.await }
    });
    let mut first: Option<Value> = None;
    for reply in outcomes.await.0 {
        if !reply.is_problem("IDEMPOTENCY_IN_PROGRESS") {
            let user = reply.expect(201);
            assert_eq!(*first.get_or_insert_with(|| user.clone()), user);
        }
    }
    assert!(first.is_some());
    assert_eq!(world.inbox().await.mails_to(&person.address()).len(), 1);
}

/// ID1: the first reply comes again for a day, whether it was a success or a conflict.
pub async fn id1_the_first_reply_comes_again(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    let first = register(&world, &person, "one").await;
    first.expect(201);
    for key in ["one", "\"one\""] {
        let again = register(&world, &person, key).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
    }
    let conflict = register(&world, &person, "two").await;
    conflict.problem("CONFLICT");
    let again = register(&world, &person, "two").await;
    assert_eq!(again.problem("CONFLICT")["detail"], conflict.json()["detail"]);

    world.clock().advance(DAY - TICK);
    register(&world, &person, "one").await.expect(201);
    world.clock().advance(TICK);
    register(&world, &person, "one").await.problem("CONFLICT");
}

/// ID1: a key is a client's own: another address with it is another request.
pub async fn id1_keys_are_a_clients_own(mount: &Mount) {
    let world = World::new(mount).await;
    let (ann, bob) = (Person::new(), Person::new());
    register(&world, &ann, "one").await.expect(201);
    let bobs = register(&world, &bob, "one").await.expect(201);
    assert_eq!(bobs["user"]["email"], bob.email);
    register(&world, &ann, "one").from("203.0.113.1").await.problem("CONFLICT");
    // An IPv6 client changes its address within its network, and is the same client.
    let roaming = Person { peer: "2001:db8:0:1::7".into(), ..Person::new() };
    register(&world, &roaming, "one").await.expect(201);
    register(&world, &roaming, "one").from("2001:db8:0:1::8").await.expect(201);
    register(&world, &roaming, "one").from("2001:db8:0:2::7").await.problem("CONFLICT");
}

/// ID1: a key that was used for one body is not good for another.
pub async fn id1_another_body_is_a_mismatch(mount: &Mount) {
    let world = World::new(mount).await;
    let (ann, bob) = (Person::new(), Person::new());
    register(&world, &ann, "one").await.expect(201);
    let reply = register(&world, &bob, "one").from(&ann.peer).await;
    reply.problem("IDEMPOTENCY_MISMATCH");
    assert_eq!(reply.status, 422);
    assert!(world.store().find_user_by_email(&bob.address()).await.expect("a store").is_none());
}

/// ID1: a reply that settles nothing frees the key.
pub async fn id1_other_replies_free_the_key(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    let weak = json!({ "email": person.email, "password": "password" });
    let call = world.post("/register", weak).from(&person.peer).header("idempotency-key", "one");
    call.await.problem("VALIDATION_FAILED");
    world.hasher().set(Behaviour::Busy);
    register(&world, &person, "one").await.problem("UNAVAILABLE");
    world.hasher().set(Behaviour::Work);
    register(&world, &person, "one").await.expect(201);
}

/// ID1: a client that gives up at any moment, and comes back, finds one account and the reply it missed; a process that
/// died with the request frees the key within a minute.
pub async fn id1_a_client_that_gave_up_comes_back(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.register_address.uses = 1000).await;
    for polls in 1..20 {
        let person = Person::new();
        if let Some(reply) = abandon(polls, register(&world, &person, "one").into_future()).await {
            reply.expect(201);
        }
        let mut reply = register(&world, &person, "one").await;
        for _ in 0..200 {
            if !reply.is_problem("IDEMPOTENCY_IN_PROGRESS") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            reply = register(&world, &person, "one").await;
        }
        if reply.is_problem("IDEMPOTENCY_IN_PROGRESS") {
            // Dropped between claiming and running, as if the process had died there.
            world.clock().advance(MINUTE);
            reply = register(&world, &person, "one").await;
        }
        assert_eq!(reply.expect(201)["user"]["email"], person.email, "given up after {polls} polls");
        assert_eq!(world.inbox().await.mails_to(&person.address()).len(), 1);
    }
}

/// ID1: a registration that happened is reported, also where the reply can't be kept.
pub async fn id1_a_reply_that_cannot_be_kept_is_given(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    let (claim, find, commit) = (1, 1, 1);
    world.faults().arm(Fault::Call(claim + find + commit));
    register(&world, &person, "one").await.expect(201);
    assert!(world.faults().has_fired());
    register(&world, &person, "one").await.problem("IDEMPOTENCY_IN_PROGRESS");
    world.clock().advance(MINUTE);
    register(&world, &person, "one").await.problem("CONFLICT");
}

/// ID1: a key that isn't one is refused rather than ignored.
pub async fn id1_malformed_keys_are_refused(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    for key in ["", "\"\"", "a b", "é", &"x".repeat(256)] {
        let problem = register(&world, &person, key).await.problem("VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    register(&world, &person, "a").and_header("idempotency-key", "b").await.problem("VALIDATION_FAILED");
    register(&world, &person, &"x".repeat(255)).await.expect(201);
}
