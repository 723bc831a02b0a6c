//! One's own account: proving again who one is, moving to another address, seeing all of it, and the end.

use auth_core::domain::{MailKind, Role};
use http::Method;
use serde_json::{Value, json};

use super::world::{FRONTEND_URL, PUBLIC_URL};
use super::{Call, Credentials, Mount, Person, World};
use crate::given::{MINUTE, TICK};
use crate::race::race;

fn ask(world: &World, credentials: &Credentials, email: &str) -> Call {
    world.post("/email/change/request", json!({ "email": email })).by(credentials)
}

fn delete(world: &World, credentials: &Credentials) -> Call {
    world.call(Method::DELETE, "/me").by(credentials)
}

/// MF7: ten minutes after signing in, what can't be undone asks for the password again; and then the session is fresh for
/// ten minutes more, and no longer-lived.
pub async fn mf7_what_cannot_be_undone_is_asked_again(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    let fresh = async |credentials: &Credentials| {
        let reply = world.get("/me/export").by(credentials).await;
        assert!(reply.status == 200 || reply.is_problem("REAUTHENTICATION_REQUIRED"), "{reply:?}");
        reply.status == 200
    };
    world.clock().advance(10 * MINUTE - TICK);
    assert!(fresh(&credentials).await);
    world.clock().advance(TICK);
    assert!(!fresh(&credentials).await);
    ask(&world, &credentials, &Person::new().email).await.problem("REAUTHENTICATION_REQUIRED");
    delete(&world, &credentials).await.problem("REAUTHENTICATION_REQUIRED");

    let before = world.get("/me").by(&credentials).await.expect(200);
    let prove = |password: &str| world.post("/reauthenticate", json!({ "password": password })).by(&credentials);
    prove("wrong").await.problem("UNAUTHORIZED");
    assert!(!fresh(&credentials).await);
    let proved = Credentials::of(&prove(&person.password).await);
    credentials.assert_dead(&world).await;
    assert!(fresh(&proved).await);
    let after = world.get("/me").by(&proved).await.expect(200);
    assert_eq!(after["session"]["createdAt"], before["session"]["createdAt"]);
    world.clock().advance(10 * MINUTE);
    assert!(!fresh(&proved).await);
}

/// LT4: proving again who one is is throttled, right or wrong; and whoever stole the session can't end it by guessing.
pub async fn lt4_reauthentication_is_throttled(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    let prove = |password: &str| world.post("/reauthenticate", json!({ "password": password })).by(&credentials);
    for _ in 0..20 {
        prove("wrong").await.problem("UNAUTHORIZED");
    }
    let (wrong, right) = (
        prove("wrong").header("x-request-id", "same").await,
        prove(&person.password).header("x-request-id", "same").await,
    );
    wrong.problem("RATE_LIMITED");
    assert_eq!(wrong.bytes(), right.bytes());
    assert!(credentials.is_live(&world).await);
}

/// An account moves to an address that its owner proves to receive mail at, by link or by code; its sessions go on, and the
/// address before is told.
pub async fn vt9_an_account_moves_by_link_or_code(mount: &Mount) {
    let world = World::new(mount).await;
    for by_code in [false, true] {
        let person = world.verified().await;
        let credentials = world.sign_in(&person).await;
        let moved = Person { email: Person::new().email, ..person.clone() };
        assert_eq!(ask(&world, &credentials, &moved.email).await.expect(202), json!({}));
        world.post("/login", moved.credentials()).from(&person.peer).await.problem("UNAUTHORIZED");
        let confirm = if by_code {
            let code = world.code(&moved, MailKind::ChangeEmail).await;
            let body = json!({ "code": code });
            world.post("/email/change/confirm", body.clone()).await.problem("UNAUTHORIZED");
            world.post("/email/change/confirm", body).by(&credentials)
        } else {
            world.post("/email/change/confirm", json!({ "token": world.link(&moved, MailKind::ChangeEmail).await }))
        };
        let user = confirm.await.expect(200);
        assert_eq!((&user["user"]["email"], &user["user"]["emailVerified"]), (&json!(moved.email), &json!(true)));
        assert!(credentials.is_live(&world).await);
        world.sign_in(&moved).await;
        world.post("/login", person.credentials()).from(&person.peer).await.problem("UNAUTHORIZED");
        let kinds: Vec<MailKind> =
            world.inbox().await.mails_to(&person.address()).iter().map(|mail| mail.content.kind()).collect();
        assert!(kinds.ends_with(&[MailKind::Notice, MailKind::Notice]), "{kinds:?}");
    }
}

/// The link in the old address's mail takes the move back, before it has happened and after.
pub async fn vt9_a_move_is_undone(mount: &Mount) {
    let world = World::new(mount).await;
    for has_moved in [false, true] {
        let person = world.verified().await;
        let credentials = world.sign_in(&person).await;
        let thief = Person { email: Person::new().email, ..person.clone() };
        ask(&world, &credentials, &thief.email).await.expect(202);
        let (undo, confirm) =
            (world.link(&person, MailKind::Notice).await, world.link(&thief, MailKind::ChangeEmail).await);
        let confirm = || world.post("/email/change/confirm", json!({ "token": confirm }));
        if has_moved {
            confirm().await.expect(200);
        }
        let undone = || world.post("/email/change/undo", json!({ "token": undo }));
        assert_eq!(undone().await.expect(200)["user"]["email"], person.email);
        world.sign_in(&person).await;
        confirm().await.problem("TOKEN_INVALID");
        undone().await.problem("TOKEN_INVALID");
        world.post("/login", thief.credentials()).await.problem("UNAUTHORIZED");
    }
}

/// VT9: a thief can't keep the owner from taking an account back by registering the address that it was moved from; who has
/// proved that address meanwhile keeps it.
pub async fn vt9_a_squatter_stops_no_undo(mount: &Mount) {
    let world = World::new(mount).await;
    for is_proved in [false, true] {
        let person = world.verified().await;
        let credentials = world.sign_in(&person).await;
        let thief = Person { email: Person::new().email, ..person.clone() };
        ask(&world, &credentials, &thief.email).await.expect(202);
        let (undo, confirm) =
            (world.link(&person, MailKind::Notice).await, world.link(&thief, MailKind::ChangeEmail).await);
        world.post("/email/change/confirm", json!({ "token": confirm })).await.expect(200);

        let squatter = Person { password: "another horse, another staple".into(), ..person.clone() };
        assert!(matches!(world.post("/register", squatter.credentials()).await.status, 201 | 202));
        if is_proved {
            let link = world.link(&squatter, MailKind::Verify).await;
            world.post("/verify/confirm", json!({ "token": link })).await.expect(200);
        }
        let undone = world.post("/email/change/undo", json!({ "token": undo })).await;
        if is_proved {
            undone.problem("TOKEN_INVALID");
            world.sign_in(&squatter).await;
        } else {
            assert_eq!(undone.expect(200)["user"]["email"], person.email);
            world.post("/login", squatter.credentials()).await.problem("UNAUTHORIZED");
            world.sign_in(&person).await;
        }
    }
}

/// VT9: token and address are one: of two racing requests, a's link never confirms b.
pub async fn vt9_a_link_confirms_its_own_address(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    let wished = [Person::new(), Person::new()];
    let outcomes = race(2, |i| {
        let call = ask(&world, &credentials, &wished[i].email);
        async move { call.await.status }
    });
    assert!(outcomes.await.0.iter().all(|status| matches!(status, 202 | 503)));
    world.inbox().await;
    let mut confirmed = 0;
    for to in &wished {
        let Some(mail) = world.inbox().await.mails_to(&to.address()).pop() else { continue };
        assert_eq!(mail.content.kind(), MailKind::ChangeEmail);
        let token = world.link(to, MailKind::ChangeEmail).await;
        let reply = world.post("/email/change/confirm", json!({ "token": token })).await;
        if reply.status == 200 {
            confirmed += 1;
            assert_eq!(reply.json()["user"]["email"], to.email);
        } else {
            reply.problem("TOKEN_INVALID");
        }
    }
    assert_eq!(confirmed, 1, "the newest counts, and only it");
}

/// EN4: asking for an address that is taken is answered, byte for byte, like asking for a free one; its owner is told.
pub async fn en4_a_taken_address_is_not_told(mount: &Mount) {
    let world = World::new(mount).await;
    let (other, suspended) = (world.verified().await, world.suspended().await);
    let person = world.verified().await;
    let mut first: Option<String> = None;
    world.inbox().await.clear();
    for email in [&Person::new().email, &other.email, &suspended.email, &person.email] {
        let asker = world.verified().await;
        let credentials = world.sign_in(if *email == person.email { &person } else { &asker }).await;
        let reply = ask(&world, &credentials, email).header("x-request-id", "same").await.bytes();
        assert_eq!(*first.get_or_insert_with(|| reply.clone()), reply, "{email}");
    }
    let mails = world.inbox().await.mails_to(&other.address());
    assert_eq!(mails.iter().map(|mail| mail.content.kind()).collect::<Vec<_>>(), [MailKind::Exists]);
    assert!(world.inbox().await.mails_to(&suspended.address()).is_empty());
}

/// VT5: a link that moves an account is good for nothing else, and nothing else moves it; and an address that was taken in
/// the meantime stays its owner's.
pub async fn vt5_a_move_is_bound_to_its_mail(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    let moved = Person::new();
    ask(&world, &credentials, &moved.email).await.expect(202);
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let link = world.link(&moved, MailKind::ChangeEmail).await;
    let (reset, undo) = (world.link(&person, MailKind::Reset).await, world.link(&person, MailKind::Notice).await);
    let password = "a fine new password";
    world.post("/verify/confirm", json!({ "token": link })).await.problem("TOKEN_INVALID");
    for token in [&link, &undo] {
        let body = json!({ "token": token, "password": password });
        world.post("/password/reset/confirm", body).await.problem("TOKEN_INVALID");
    }
    for token in [&reset, &undo] {
        world.post("/email/change/confirm", json!({ "token": token })).await.problem("TOKEN_INVALID");
    }
    for token in [&reset, &link] {
        world.post("/email/change/undo", json!({ "token": token })).await.problem("TOKEN_INVALID");
    }
    // Somebody else's code, typed in by another user.
    let stranger = world.sign_in(&world.verified().await).await;
    let code = json!({ "code": world.code(&moved, MailKind::ChangeEmail).await });
    world.post("/email/change/confirm", code).by(&stranger).await.problem("TOKEN_INVALID");
    world.register(&moved).await;
    if world.conceals() {
        world.verify(&moved).await;
    }
    world.post("/email/change/confirm", json!({ "token": link })).await.problem("TOKEN_INVALID");
    world.sign_in(&moved).await;
    // What was mailed to an address before the account moved away from it is good for nothing.
    let elsewhere = Person::new();
    ask(&world, &credentials, &elsewhere.email).await.expect(202);
    let token = world.link(&elsewhere, MailKind::ChangeEmail).await;
    world.post("/email/change/confirm", json!({ "token": token })).await.expect(200);
    world
        .post("/password/reset/confirm", json!({ "token": reset, "password": password }))
        .await
        .problem("TOKEN_INVALID");
}

/// VT8: the links open pages, which spend nothing until their button is pressed.
pub async fn vt8_moves_are_confirmed_by_their_pages(mount: &Mount) {
    let world = World::with(mount, |options| options.core.frontend_url = PUBLIC_URL.into()).await;
    let person = world.verified().await;
    let moved = Person { email: Person::new().email, ..person.clone() };
    ask(&world, &world.sign_in(&person).await, &moved.email).await.expect(202);
    let tokens = [
        ("/confirm-email", world.link(&moved, MailKind::ChangeEmail).await, "is changed"),
        ("/undo-email", world.link(&person, MailKind::Notice).await, "stays"),
    ];
    for (page, token, done) in &tokens {
        for _ in 0..3 {
            let shown = world.at(Method::GET, &format!("{page}?token={token}")).await;
            let html = String::from_utf8_lossy(&shown.body).into_owned();
            assert!(shown.status == 200 && html.contains(&format!("value=\"{token}\"")), "{html}");
        }
        let form = format!("token={token}").into_bytes();
        let submit = || {
            let call = world.at(Method::POST, page).raw("application/x-www-form-urlencoded", form.clone());
            call.header("origin", PUBLIC_URL)
        };
        assert_eq!(submit().header("origin", "https://evil.example").await.status, 403);
        let reply = submit().await;
        assert!(reply.status == 200 && String::from_utf8_lossy(&reply.body).contains(done), "{reply:?}");
        assert_eq!(submit().await.status, 400);
    }
    world.sign_in(&person).await;
    let link = world.inbox().await.link(&moved.address(), MailKind::ChangeEmail);
    assert!(!link.starts_with(FRONTEND_URL) && link.starts_with(PUBLIC_URL));
}

/// An account that is deleted leaves nothing: no session, no way to sign in, no address that is taken; what the audit log
/// tells of it loses whatever told more than that.
pub async fn se5_a_deleted_account_is_gone(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let (here, there) = (world.sign_in(&person).await, world.sign_in(&person).await);
    let user = world.user_id(&person).await;
    let reply = delete(&world, &here).await;
    reply.expect(204);
    if let Credentials::Browser(cookies) = &here {
        let left = cookies.after(&reply);
        assert!(["session", "csrf", "device"].iter().all(|name| !left.has(name)), "{reply:?}");
    }
    here.assert_dead(&world).await;
    there.assert_dead(&world).await;
    delete(&world, &here).await.problem("UNAUTHORIZED");
    world.post("/login", person.credentials()).await.problem("UNAUTHORIZED");

    let admin = world.sign_in(&world.admin().await).await;
    world.get(&format!("/admin/users/{user}")).by(&admin).await.problem("NOT_FOUND");
    let events =
        world.get(&format!("/admin/audit?user={user}&limit=100")).by(&admin).await.expect(200)["events"].take();
    let events = events.as_array().expect("a list").clone();
    assert!(events.len() >= 4, "{events:?}");
    for event in events {
        for told in ["ip", "userAgent", "requestId"] {
            assert_eq!(event[told], Value::Null, "{event}");
        }
        assert_eq!(event["detail"], json!({}), "{event}");
    }
    // Somebody else may have the address.
    world.register(&person).await;
    world.verify(&person).await;
    assert_ne!(world.user_id(&person).await, user);
}

/// What is stored about a user, all of it and nothing of anybody else, and no secret.
pub async fn an_export_has_all_and_no_secret(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, other) = (world.verified().await, world.verified().await);
    let others = world.sign_in(&other).await;
    let credentials = world.sign_in(&person).await;
    world.call(Method::PATCH, "/me").by(&credentials).json(&json!({ "name": "Ann" })).await.expect(200);
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let (link, code) = (world.link(&person, MailKind::Reset).await, world.code(&person, MailKind::Reset).await);
    world.grant(&person, Role::parse("editor").expect("a role")).await;
    let reply = world.get("/me/export").by(&credentials).await;
    let export = reply.expect(200);
    let mut members: Vec<&str> = export.as_object().into_iter().flat_map(|o| o.keys().map(String::as_str)).collect();
    members.sort_unstable();
    let all = [
        "attributes",
        "events",
        "hasPassword",
        "mails",
        "recoveryCodesLeft",
        "secondFactors",
        "sessions",
        "tokens",
        "user",
    ];
    assert_eq!(members, all);
    assert_eq!((&export["user"]["name"], &export["user"]["roles"]), (&json!("Ann"), &json!(["editor", "user"])));
    assert_eq!((export["sessions"].as_array().map(Vec::len), &export["hasPassword"]), (Some(1), &json!(true)));
    assert_eq!(export["tokens"][0]["purpose"], "reset-password");
    let text = export.to_string();
    for kind in ["user.registered", "email.verified", "session.opened", "user.profile-changed"] {
        assert!(text.contains(kind), "{kind}: {text}");
    }
    for secret in [credentials.secret(), credentials.device(), &link, &code, &person.password, "argon2"] {
        assert!(!text.contains(secret), "{secret}");
    }
    for foreign in [&*other.email, &others.session_id(&world).await, &world.user_id(&other).await.to_string()] {
        assert!(!text.contains(foreign), "{foreign}");
    }
}
