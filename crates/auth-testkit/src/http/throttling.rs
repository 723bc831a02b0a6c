//! What must not happen too often.

use auth_core::domain::MailKind;
use auth_http::{AuthHttp, HttpSettings, Profile, SetupError};
use serde_json::{Value, json};

use super::world::limit;
use super::{Call, Mount, Person, World};
use crate::given::{HOUR, MINUTE};
use crate::race::race;

fn guess(world: &World, email: &str, peer: &str) -> Call {
    world.post("/login", json!({ "email": email, "password": "wrong" })).from(peer)
}

/// LT1: one address that tries many accounts, and many addresses that try one, are both stopped; a success in between
/// doesn't clear the address's count.
pub async fn lt1_account_and_address_count_apart(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    for i in 0..100 {
        guess(&world, &Person::new().email, &person.peer).await.problem("UNAUTHORIZED");
        if i % 10 == 0 {
            world.sign_in(&person).await;
        }
    }
    guess(&world, &Person::new().email, &person.peer).await.problem("RATE_LIMITED");
    world.post("/login", person.credentials()).from(&person.peer).await.problem("RATE_LIMITED");
    world.post("/login", person.credentials()).from("203.0.113.1").await.expect(200);

    for (email, expected) in [(person.email.clone(), 10), (Person::new().email, 10)] {
        for i in 0..20 {
            let reply = guess(&world, &email, &format!("203.0.113.{}", 10 + i)).await;
            reply.problem(if i < expected { "UNAUTHORIZED" } else { "RATE_LIMITED" });
        }
    }
    world.clock().advance(15 * MINUTE);
    world.post("/login", person.credentials()).from(&person.peer).await.expect(200);
}

/// LT2: strangers can't lock the owner out: a device that signed in before has a budget of its own, and a reset clears
/// the account's.
pub async fn lt2_a_known_device_and_a_reset_let_the_owner_in(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let other = world.sign_in(&world.verified().await).await;
    let device = world.sign_in(&person).await.device().to_owned();
    for i in 0..20 {
        guess(&world, &person.email, &format!("203.0.113.{i}")).await;
    }
    let with_device = |password: &str, device: &str| {
        let body = json!({ "email": person.email, "password": password, "deviceToken": device });
        world.post("/login", body).from(&person.peer)
    };
    world.post("/login", person.credentials()).from(&person.peer).await.problem("RATE_LIMITED");
    for no_device in [other.device(), "made up", &device[1..]] {
        with_device(&person.password, no_device).await.problem("RATE_LIMITED");
    }
    with_device(&person.password, &device).await.expect(200);
    // The device's own budget ends too.
    for _ in 0..10 {
        with_device("wrong", &device).await.problem("UNAUTHORIZED");
    }
    with_device(&person.password, &device).await.problem("RATE_LIMITED");

    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let link = world.link(&person, MailKind::Reset).await;
    let body = json!({ "token": link, "password": "a fine new password" });
    world.post("/password/reset/confirm", body).await.expect(204);
    world.sign_in(&Person { password: "a fine new password".into(), ..person }).await;
}

/// LT3: fifty at once, five allowed: five hashes.
pub async fn lt3_counted_before_verifying(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.sign_in_account = limit(5, 900)).await;
    let person = world.registered().await;
    world.hasher().take();
    let outcomes = race(50, |i| {
        let call = guess(&world, &person.email, &format!("203.0.113.{i}"));
        async move { call.await.status }
    });
    let refused = outcomes.await.0.into_iter().filter(|status| *status == 429).count();
    assert_eq!((refused, world.hasher().take()), (45, 5));
}

/// LT5: once throttled, the right password answers like a wrong one.
pub async fn lt5_throttled_right_and_wrong_are_alike(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    for _ in 0..10 {
        guess(&world, &person.email, &person.peer).await.problem("UNAUTHORIZED");
    }
    world.clock().advance(MINUTE);
    let wrong = guess(&world, &person.email, &person.peer).header("x-request-id", "the-same").await;
    let right = world.post("/login", person.credentials()).from(&person.peer).header("x-request-id", "the-same").await;
    assert_eq!((wrong.status, wrong.header("retry-after")), (429, Some("840")));
    assert_eq!(wrong.bytes(), right.bytes());
}

/// RL1: what a client says about its own address is hearsay.
pub async fn rl1_addresses_are_not_hearsay(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.register_address = limit(5, 3600)).await;
    for i in 0..8 {
        let call = world.post("/register", Person::new().credentials()).from("203.0.113.7");
        let call =
            call.header("x-forwarded-for", &format!("198.51.100.{i}")).header("x-real-ip", &format!("198.51.100.{i}"));
        let reply =
            call.header("forwarded", &format!("for=198.51.100.{i}")).header("cf-connecting-ip", "1.1.1.1").await;
        assert_eq!(reply.status, if i < 5 { 201 } else { 429 });
    }
}

/// RL1: a configured proxy vouches for the entry that it appended; what stands left of it is the client's own invention.
pub async fn rl1_proxies_vouch_for_one_entry(mount: &Mount) {
    let world = World::with(mount, |options| {
        options.core.limits.register_address = limit(5, 3600);
        options.http.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let register = |forwarded: String| {
        let call = world.post("/register", Person::new().credentials()).from("10.0.0.1");
        call.header("x-forwarded-for", &forwarded)
    };
    for i in 0..8 {
        assert_eq!(register(format!("198.51.100.{i}, 203.0.113.7")).await.status, if i < 5 { 201 } else { 429 });
    }
    for i in 0..8 {
        register(format!("203.0.113.{}, 10.0.0.2", 100 + i)).await.expect(201);
    }
    let person = world.registered().await;
    let call =
        world.post("/login", person.credentials()).from("10.0.0.1").header("x-forwarded-for", "::ffff:198.51.100.7");
    let credentials = super::Credentials::of(&call.await);
    let me = world.get("/me").by(&credentials).await.expect(200);
    assert_eq!(me["session"]["ip"], "198.51.100.7");

    let everybody = "::/0".parse().expect("a network");
    let settings = HttpSettings { trusted_proxies: vec![everybody], ..HttpSettings::default() };
    let refused = AuthHttp::new(world.http().auth().clone(), [Profile::tokens()], settings).err();
    assert_eq!(refused, Some(SetupError::Proxies(everybody)));
}

/// RL2: racing requests are counted exactly; IPv6 counts by /64, and IPv4 address by address, mapped or behind NAT64.
pub async fn rl2_networks_and_exact_counts(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address = limit(20, 60)).await;
    let allowed = async |peer: fn(usize) -> String| {
        let outcomes = race(60, |i| {
            let call = world.get("/me").from(&peer(i));
            async move { call.await.status }
        });
        outcomes.await.0.into_iter().filter(|status| *status != 429).count()
    };
    assert_eq!(allowed(|_| "203.0.113.1".into()).await, 20);
    assert_eq!(allowed(|i| if i % 2 == 0 { "203.0.113.2".into() } else { "::ffff:203.0.113.2".into() }).await, 20);
    assert_eq!(allowed(|i| format!("2001:db8:0:1:{i:x}::1")).await, 20);
    assert_eq!(allowed(|i| format!("64:ff9b::198.51.100.{i}")).await, 60);
    assert_eq!(allowed(|i| format!("2001:db8:1:{i:x}::1")).await, 60);
}

/// RL2: each kind of mail is rationed per account and per address, and a spelling is no other account.
pub async fn rl2_mail_is_rationed(mount: &Mount) {
    let world = World::new(mount).await;
    for path in ["/verify/request", "/password/reset/request"] {
        let person = world.registered().await;
        let ask = |i: usize| {
            let email = if i.is_multiple_of(2) { person.email.clone() } else { person.email.to_uppercase() };
            world.post(path, json!({ "email": email })).from(&format!("203.0.113.{i}"))
        };
        for i in 0..8 {
            assert_eq!(ask(i).await.status, if i < 5 { 202 } else { 429 });
        }
        for i in 0..32 {
            let reply = world.post(path, json!({ "email": Person::new().email })).from("198.51.100.1").await;
            assert_eq!(reply.status, if i < 30 { 202 } else { 429 });
        }
        world.clock().advance(HOUR);
        assert_eq!(ask(0).await.expect(202), Value::Object(Default::default()));
    }
}
