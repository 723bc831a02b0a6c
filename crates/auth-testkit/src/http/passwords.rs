//! Passwords on their way in.

use auth_core::domain::{MailKind, Notice};
use serde_json::{Value, json};

use super::world::limit;
use super::{Behaviour, Mount, Person, World};

async fn registered_with(world: &World, password: &str) -> Person {
    let person = Person { password: password.to_owned(), ..Person::new() };
    world.register(&person).await;
    if world.conceals() {
        world.verify(&person).await;
    }
    person
}

/// PW4: 8 to 256 characters of any script, spaces included, and every one of them counts.
pub async fn pw4_any_characters_and_all_of_them(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.sign_in_account = limit(10_000, 900)).await;
    let longest: String = "зелёный 李 🦔 ".chars().cycle().take(256).collect();
    for password in ["пароль из восьми слов и пробелов", " leading and trailing ", "k7#Qz!p2w", &longest]
    {
        let person = registered_with(&world, password).await;
        world.sign_in(&person).await;
        let characters: Vec<char> = password.chars().collect();
        for i in (0..characters.len()).step_by(characters.len().div_ceil(24)).chain([characters.len() - 1]) {
            let mut changed = characters.clone();
            changed[i] = if changed[i] == 'x' { 'y' } else { 'x' };
            let changed = Person { password: changed.into_iter().collect(), ..person.clone() };
            world.post("/login", changed.credentials()).from(&person.peer).await.problem("UNAUTHORIZED");
        }
        let shorter = Person { password: characters[..characters.len() - 1].iter().collect(), ..person.clone() };
        world.post("/login", shorter.credentials()).from(&person.peer).await.problem("UNAUTHORIZED");
    }
    for (password, code) in [("k7#Qz!p", "TOO_SHORT"), (&*format!("{longest}x"), "TOO_LONG")] {
        let refused = Person { password: password.to_owned(), ..Person::new() };
        let problem = world.post("/register", refused.credentials()).await.problem("VALIDATION_FAILED");
        assert_eq!((&problem["errors"][0]["field"], &problem["errors"][0]["code"]), (&json!("password"), &json!(code)));
    }
}

/// PW5: `é` as one character or two is the same password, on registration, sign-in, reset and change.
pub async fn pw5_composed_and_decomposed_are_one(mount: &Mount) {
    let world = World::new(mount).await;
    let (composed, decomposed) = ("caf\u{e9} \u{fb01}ve o\u{2019}clock", "cafe\u{301} five o\u{2019}clock");
    let person = registered_with(&world, composed).await;
    let other = Person { password: decomposed.into(), ..person.clone() };
    let credentials = world.sign_in(&other).await;
    let body = json!({ "currentPassword": decomposed, "newPassword": format!("{decomposed} sharp") });
    world.post("/password/change", body).by(&credentials).await.expect(200);
    world.sign_in(&Person { password: format!("{composed} sharp"), ..person.clone() }).await;
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let link = world.link(&person, MailKind::Reset).await;
    world.post("/password/reset/confirm", json!({ "token": link, "password": composed })).await.expect(204);
    world.sign_in(&other).await;
}

/// PW6: over 1024 bytes is refused before anything is hashed.
pub async fn pw6_long_passwords_are_refused_unhashed(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.sign_in(&person).await;
    world.hasher().take();
    for password in ["x".repeat(1025), "é".repeat(513), "\u{fdfa}".repeat(300), "x".repeat(60_000)] {
        for (path, body) in [
            ("/register", json!({ "email": Person::new().email, "password": password })),
            ("/login", json!({ "email": person.email, "password": password })),
            ("/password/reset/confirm", json!({ "token": "x", "password": password })),
            ("/password/change", json!({ "currentPassword": password, "newPassword": "a fine new password" })),
            ("/password/change", json!({ "currentPassword": person.password, "newPassword": password })),
        ] {
            world.post(path, body).by(&credentials).await.problem("VALIDATION_FAILED");
        }
    }
    assert_eq!(world.hasher().take(), 0);
}

/// PW6: where too many passwords wait already, the answer is 503 at once, it counts as no failure, and probes go on.
pub async fn pw6_a_full_queue_is_503(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.sign_in(&person).await;
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let link = world.link(&person, MailKind::Reset).await;
    world.hasher().set(Behaviour::Busy);
    for _ in 0..12 {
        let change = json!({ "currentPassword": person.password, "newPassword": "a fine new password" });
        for call in [
            world.post("/login", person.credentials()),
            world.post("/password/change", change).by(&credentials),
            world.post("/password/reset/confirm", json!({ "token": link, "password": "a fine new password" })),
        ] {
            let reply = call.await;
            reply.problem("UNAVAILABLE");
            assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
        }
    }
    world.post("/register", Person::new().credentials()).await.problem("UNAVAILABLE");
    assert_eq!(world.at(http::Method::GET, "/healthz").await.status, 200);
    world.hasher().set(Behaviour::Work);
    world.sign_in(&person).await;
    world
        .post("/password/reset/confirm", json!({ "token": link, "password": "a fine new password" }))
        .await
        .expect(204);
}

/// PW7: common, guessable and personal passwords are refused wherever one is set, and nothing is spent or changed.
pub async fn pw7_weak_passwords_are_refused_everywhere(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.sign_in(&person).await;
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let link = world.link(&person, MailKind::Reset).await;
    let local = person.email.split('@').next().unwrap_or_default().to_owned();
    for (password, codes) in [
        ("password", &["GUESSABLE"][..]),
        ("iloveyou", &["GUESSABLE"]),
        ("aaaaaaaaaaaa", &["GUESSABLE"]),
        ("12345678", &["GUESSABLE"]),
        (&*person.email, &["PERSONAL"]),
        (&*local, &["PERSONAL"]),
        ("short", &["TOO_SHORT"]),
    ] {
        for (field, call) in [
            (
                "password",
                world
                    .post("/register", json!({ "email": person.email, "password": password }))
                    .from(&Person::new().peer),
            ),
            ("password", world.post("/password/reset/confirm", json!({ "token": link, "password": password }))),
            (
                "newPassword",
                world
                    .post("/password/change", json!({ "currentPassword": person.password, "newPassword": password }))
                    .by(&credentials),
            ),
        ] {
            let problem = call.await.problem("VALIDATION_FAILED");
            let error = &problem["errors"][0];
            assert_eq!(error["field"], field);
            assert!(error["code"].as_str().is_some_and(|code| codes.contains(&code)), "{password}: {problem}");
        }
    }
    assert!(credentials.is_live(&world).await);
    let body = json!({ "token": link, "password": "a fine new password" });
    world.post("/password/reset/confirm", body).await.expect(204);
}

/// PW8: a change needs the current password, which is throttled like a sign-in, right or wrong.
pub async fn pw8_a_change_needs_the_current_password(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.sign_in(&person).await;
    let change = |current: &str| {
        let body = json!({ "currentPassword": current, "newPassword": "a fine new password" });
        world.post("/password/change", body).by(&credentials)
    };
    for _ in 0..20 {
        change("wrong").await.problem("UNAUTHORIZED");
    }
    let (wrong, right) = (
        change("wrong").header("x-request-id", "same").await,
        change(&person.password).header("x-request-id", "same").await,
    );
    wrong.problem("RATE_LIMITED");
    assert_eq!(wrong.bytes(), right.bytes());
    assert!(credentials.is_live(&world).await, "a thief of the session can't end it by guessing");
    world.clock().advance(crate::given::HOUR);
    let credentials = world.sign_in(&person).await;
    let body = json!({ "currentPassword": person.password, "newPassword": "a fine new password" });
    let changed = world.post("/password/change", body).by(&credentials).await.expect(200);
    assert_ne!(changed, Value::Null);
    let told = world.inbox().await.last(&person.address(), MailKind::Notice);
    assert!(matches!(told.content, auth_core::domain::Content::Notice(Notice::PasswordChanged)));
}
