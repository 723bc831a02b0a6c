//! Registering where nobody learns from it who has an account.

use auth_core::domain::MailKind;
use serde_json::{Value, json};

use super::{Call, Mount, Person, World};
use crate::given::{DAY, MINUTE, TICK};
use crate::race::race;

fn register(world: &World, person: &Person, password: &str) -> Call {
    let body = json!({ "email": person.email, "password": password, "name": "Eve" });
    world.post("/register", body).from(&person.peer).header("x-request-id", "the-same")
}

fn sign_in(world: &World, person: &Person, password: &str) -> Call {
    let body = json!({ "email": person.email, "password": password });
    world.post("/login", body).from(&person.peer).header("x-request-id", "the-same")
}

/// EN1, EN8: whoever registers an address, and then signs in with what they registered, gets byte for byte the same
/// replies, whatever the address is: free, taken, waiting, or a suspended user's.
pub async fn en8_registering_and_signing_in_tells_nothing(mount: &Mount) {
    let world = World::new(mount).await;
    let people = [
        ("free", Person::new()),
        ("taken", world.verified().await),
        ("waiting", world.unverified().await),
        ("suspended", world.suspended().await),
    ];
    let mut first: Option<Vec<String>> = None;
    for (state, person) in people {
        let person = Person { peer: Person::new().peer, ..person };
        let mut replies = Vec::new();
        for _ in 0..2 {
            let reply = register(&world, &person, "a stranger's password").await;
            assert_eq!((reply.expect(202), reply.set_cookies().len()), (json!({}), 0));
            replies.push(reply.bytes());
            replies.push(sign_in(&world, &person, "a stranger's password").await.bytes());
        }
        replies.push(register(&world, &person, "password").await.bytes());
        assert_eq!(*first.get_or_insert_with(|| replies.clone()), replies, "{state} differs");
    }
}

/// EN2: it costs the same reads, one hash and one commit.
pub async fn en2_registering_is_the_same_work(mount: &Mount) {
    let world = World::new(mount).await;
    let people = [Person::new(), world.verified().await, world.unverified().await, world.suspended().await];
    let mut first = None;
    for person in people {
        world.counting().take();
        world.hasher().take();
        register(&world, &person, "a stranger's password").await.expect(202);
        let work = (world.counting().take(), world.hasher().take());
        assert_eq!(*first.get_or_insert_with(|| work.clone()), work);
    }
}

/// EN7: the owner of an address that somebody else registers is told by mail; the stranger gets nothing, and changes
/// nothing.
pub async fn en7_only_the_owner_is_told(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    world.inbox().await.clear();
    let stranger = Person { email: person.email.to_uppercase(), ..Person::new() };
    register(&world, &stranger, "a stranger's password").await.expect(202);
    let mails = world.inbox().await.mails_to(&person.address());
    assert_eq!(mails.iter().map(|mail| mail.content.kind()).collect::<Vec<_>>(), [MailKind::Exists]);
    let me = world.get("/me").by(&world.sign_in(&person).await).await.expect(200);
    assert_eq!(me["user"]["name"], Value::Null);
    // Nor does a suspended user hear of it, whose mail would lead nowhere.
    let suspended = world.suspended().await;
    world.inbox().await.clear();
    register(&world, &suspended, "a stranger's password").await.expect(202);
    assert!(world.inbox().await.mails().is_empty());
}

/// EN8: a click confirms the very registration whose mail it stands in: the owner's click never confirms a stranger's
/// password. Every other registration of the address dies with it.
pub async fn en8_a_click_confirms_its_own_registration(mount: &Mount) {
    let world = World::new(mount).await;
    for confirmed in 0..2 {
        let owner = Person::new();
        let stranger = Person { peer: Person::new().peer, ..owner.clone() };
        let passwords = ["the stranger's password", "the owner's password"];
        register(&world, &stranger, passwords[0]).await.expect(202);
        let first = world.link(&owner, MailKind::Verify).await;
        register(&world, &owner, passwords[1]).await.expect(202);
        let links = [first, world.link(&owner, MailKind::Verify).await];
        for password in passwords {
            sign_in(&world, &owner, password).await.problem("UNAUTHORIZED");
        }
        let user = world.post("/verify/confirm", json!({ "token": links[confirmed] })).await.expect(200);
        assert_eq!((&user["user"]["email"], &user["user"]["emailVerified"]), (&json!(owner.email), &json!(true)));
        let statuses = [0, 1].map(|i| sign_in(&world, &owner, passwords[i]));
        for (i, call) in statuses.into_iter().enumerate() {
            assert_eq!(call.await.status, if i == confirmed { 200 } else { 401 });
        }
        for link in &links {
            world.post("/verify/confirm", json!({ "token": link })).await.problem("TOKEN_INVALID");
        }
    }
}

/// VT3, EN3: of fifty racing clicks, on the mails of three registrations of one address in three spellings, one makes the
/// account.
pub async fn vt3_one_click_makes_the_account(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.proof_address.uses = 1000).await;
    let person = Person::new();
    let spellings = [person.email.clone(), person.email.to_uppercase(), format!(" {} ", person.email)];
    let mut links = Vec::new();
    for (i, spelling) in spellings.into_iter().enumerate() {
        let racer = Person { email: spelling, ..Person::new() };
        register(&world, &racer, &format!("the racer's password, number {i}")).await.expect(202);
        links.push(world.link(&person, MailKind::Verify).await);
    }
    let outcomes = race(51, |i| {
        let call = world.post("/verify/confirm", json!({ "token": links[i % 3] }));
        async move {
            let reply = call.await;
            if reply.status == 200 { Ok(()) } else { Err(reply.problem("TOKEN_INVALID")) }
        }
    });
    let winner = outcomes.await.single_ok() % 3;
    for i in 0..3 {
        let reply = sign_in(&world, &person, &format!("the racer's password, number {i}")).await;
        assert_eq!(reply.status, if i == winner { 200 } else { 401 });
    }
}

/// VT2: a registration waits a day, by link and by code.
pub async fn vt2_a_registration_waits_a_day(mount: &Mount) {
    let world = World::new(mount).await;
    for (age, lives) in [(DAY - TICK, true), (DAY, false), (DAY + TICK, false)] {
        let (linked, coded) = (world.unverified().await, world.unverified().await);
        let link = json!({ "token": world.link(&linked, MailKind::Verify).await });
        let code = json!({ "email": coded.email, "code": world.code(&coded, MailKind::Verify).await });
        world.clock().advance(age);
        for body in [link, code] {
            let reply = world.post("/verify/confirm", body).await;
            assert!(if lives { reply.status == 200 } else { reply.is_problem("TOKEN_INVALID") }, "{age:?}: {reply:?}");
        }
    }
}

/// VT6: five guesses at a code; wrong ones spend no link, and strangers who register again and again take nothing away.
pub async fn vt6_guesses_and_strangers_spare_the_owners_mail(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.mail_account.uses = 100).await;
    let owner = world.unverified().await;
    let (link, code) = (world.link(&owner, MailKind::Verify).await, world.code(&owner, MailKind::Verify).await);
    let guess = |code: &str| world.post("/verify/confirm", json!({ "email": owner.email, "code": code }));
    let outcomes = race(50, |i| {
        let call = guess(if code == "000000" { "999999" } else { "000000" }).from(&format!("203.0.113.{i}"));
        async move { call.await }
    });
    for reply in outcomes.await.0 {
        reply.problem("TOKEN_INVALID");
    }
    guess(&code).await.problem("TOKEN_INVALID");
    for i in 0..20 {
        world.clock().advance(MINUTE);
        let stranger = Person { peer: format!("203.0.113.{i}"), ..owner.clone() };
        register(&world, &stranger, "a stranger's password").await.expect(202);
    }
    world.post("/verify/confirm", json!({ "token": link })).await.expect(200);
    world.sign_in(&owner).await;
}

/// ID1: a registration that is sent twice mails once, and the first reply comes again.
pub async fn id1_a_concealed_registration_happens_once(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    let keyed = || world.post("/register", person.credentials()).from(&person.peer).header("idempotency-key", "one");
    for _ in 0..3 {
        assert_eq!(keyed().await.expect(202), json!({}));
    }
    assert_eq!(world.inbox().await.mails_to(&person.address()).len(), 1);
    let other = json!({ "email": person.email, "password": "quite another password" });
    let mismatch = world.post("/register", other).from(&person.peer).header("idempotency-key", "one").await;
    mismatch.problem("IDEMPOTENCY_MISMATCH");
}
