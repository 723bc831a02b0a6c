//! What is left in the audit log.

use std::net::IpAddr;

use auth_core::domain::{AuditKind, MailKind};
use auth_core::port::AuditQuery;
use http::Method;
use serde_json::json;

use super::{Call, Credentials, Mount, Person, Reply, Tokens, World};
use crate::given::{DAY, TICK};

/// AU1: each security event, success or failure, leaves an entry: when, who, about whom, from where, with what, in which
/// request.
pub async fn au1_every_event_leaves_its_entry(mount: &Mount) {
    use AuditKind as K;
    let world = World::new(mount).await;
    let person = Person::new();
    let wrong = json!({ "email": person.email, "password": "wrong" });
    let new = "a fine new password";

    expect(&world, world.post("/register", person.credentials()), &[K::Registered]).await;
    expect(&world, world.post("/register", person.credentials()), &[K::RegistrationRefused]).await;
    expect(&world, world.post("/verify/request", json!({ "email": person.email })), &[K::VerificationRequested]).await;
    expect(&world, world.post("/verify/confirm", json!({ "token": "x" })), &[]).await;
    let code = world.code(&person, MailKind::Verify).await;
    let other = if code == "000000" { "111111" } else { "000000" };
    let by_code = |code: &str| world.post("/verify/confirm", json!({ "email": person.email, "code": code }));
    expect(&world, by_code(other), &[K::CodeTried, K::VerificationFailed]).await;
    expect(&world, by_code(&code), &[K::CodeTried, K::EmailVerified]).await;
    expect(&world, world.post("/login", wrong), &[K::SignInFailed]).await;
    let reply = expect(&world, world.post("/login", person.credentials()), &[K::SignedIn]).await;
    let first = Credentials::of(&reply);
    let guarded = |method, path: &str| world.call(method, path).by(&first);
    expect(&world, guarded(Method::PATCH, "/me").json(&json!({ "name": "Ann" })), &[K::ProfileChanged]).await;
    let change = |current: &str| {
        guarded(Method::POST, "/password/change").json(&json!({ "currentPassword": current, "newPassword": new }))
    };
    expect(&world, change("wrong"), &[K::PasswordChangeFailed]).await;
    let reply = expect(&world, change(&person.password), &[K::PasswordChanged]).await;
    let second = Tokens::of(&reply.json());

    let reply = expect(&world, second.refresh(&world), &[]).await;
    let third = Tokens::of(&reply.json());
    expect(&world, second.refresh(&world), &[K::RefreshFailed]).await;
    let fourth = Tokens::of(&third.refresh(&world).await.expect(200));
    expect(&world, second.refresh(&world), &[K::RefreshFailed, K::RefreshReused]).await;
    expect(&world, fourth.refresh(&world), &[K::RefreshFailed]).await;

    let person = Person { password: new.into(), ..person };
    let (one, two) = (world.sign_in(&person).await, world.sign_in(&person).await);
    expect(&world, world.post("/logout", json!({})).by(&one), &[K::SignedOut]).await;
    expect(&world, world.call(Method::POST, "/logout/all").by(&two), &[K::SignedOutEverywhere]).await;
    let ask = world.post("/password/reset/request", json!({ "email": person.email }));
    expect(&world, ask, &[K::ResetRequested]).await;
    let unknown = json!({ "token": "A".repeat(43), "password": "another new password" });
    expect(&world, world.post("/password/reset/confirm", unknown), &[K::ResetFailed]).await;
    let link = json!({ "token": world.link(&person, MailKind::Reset).await, "password": "another new password" });
    expect(&world, world.post("/password/reset/confirm", link), &[K::PasswordReset]).await;
    for i in 0..12 {
        let guess = world.post("/login", json!({ "email": person.email, "password": "wrong" }));
        let kinds: &[K] = match i {
            0..10 => &[K::SignInFailed],
            // Once a window, so that a flood doesn't fill the store.
            10 => &[K::Throttled],
            _ => &[],
        };
        expect(&world, guess, kinds).await;
    }
}

/// AU1: likewise what is done to one's own account beyond that, and what administrators do to others'.
pub async fn au1_accounts_and_administration_leave_entries(mount: &Mount) {
    use AuditKind as K;
    let world = World::new(mount).await;
    let (person, boss) = (world.verified().await, world.admin().await);
    let user = world.user_id(&person).await;
    let first = world.sign_in(&person).await;
    let prove = |password: &str| world.post("/reauthenticate", json!({ "password": password })).by(&first);
    expect(&world, prove("wrong"), &[K::ReauthenticationFailed]).await;
    let own = Credentials::of(&expect(&world, prove(&person.password), &[K::Reauthenticated]).await);
    let moved = Person { email: Person::new().email, ..person.clone() };
    let ask = world.post("/email/change/request", json!({ "email": moved.email })).by(&own);
    expect(&world, ask, &[K::EmailChangeRequested]).await;
    let undo = world.link(&person, MailKind::Notice).await;
    let confirm = |token: &str| world.post("/email/change/confirm", json!({ "token": token }));
    expect(&world, confirm(&"A".repeat(43)), &[K::EmailChangeFailed]).await;
    let code = world.code(&moved, MailKind::ChangeEmail).await;
    let by_code = |code: &str| world.post("/email/change/confirm", json!({ "code": code })).by(&own);
    let other = if code == "000000" { "111111" } else { "000000" };
    expect(&world, by_code(other), &[K::CodeTried, K::EmailChangeFailed]).await;
    expect(&world, by_code(&code), &[K::CodeTried, K::EmailChanged]).await;
    let undo = world.post("/email/change/undo", json!({ "token": undo }));
    expect(&world, undo, &[K::EmailChangeUndone]).await;
    expect(&world, world.get("/me/export").by(&own), &[K::UserExported]).await;

    let admin = world.sign_in(&boss).await;
    let on = |by: &Credentials, method, id, rest: &str| world.call(method, &format!("/admin/users/{id}{rest}")).by(by);
    expect(&world, on(&own, Method::GET, user, ""), &[K::AdministrationRefused]).await;
    expect(&world, on(&admin, Method::GET, user, ""), &[]).await;
    expect(&world, on(&admin, Method::PUT, user, "/roles/editor"), &[K::RoleGranted]).await;
    // A browser's secret is replaced the next time that it comes.
    let rotated: &[K] = if matches!(own, Credentials::Browser(_)) { &[K::SecretRotated] } else { &[] };
    expect(&world, world.get("/me").by(&own), rotated).await;
    expect(&world, on(&admin, Method::DELETE, user, "/roles/editor"), &[K::RoleRevoked]).await;
    let boss_id = world.user_id(&boss).await;
    expect(&world, on(&admin, Method::DELETE, boss_id, "/roles/admin"), &[K::AdministrationRefused]).await;
    expect(&world, on(&admin, Method::PUT, boss_id, "/roles/editor"), &[K::AdministrationRefused]).await;
    expect(&world, on(&admin, Method::POST, user, "/suspend"), &[K::UserSuspended]).await;
    expect(&world, on(&admin, Method::POST, user, "/reactivate"), &[K::UserReactivated]).await;
    expect(&world, on(&admin, Method::DELETE, user, "/sessions"), &[K::SessionsEnded]).await;
    expect(&world, world.call(Method::DELETE, "/me").by(&admin), &[K::AdministrationRefused]).await;
    // What tells of a deletion names no request: nothing is left that would tell more than that it happened.
    let own = world.sign_in(&person).await;
    expect(&world, world.call(Method::DELETE, "/me").by(&own), &[]).await;
    let query = AuditQuery { kind: Some(K::UserDeleted), limit: 10, ..AuditQuery::default() };
    let deleted = world.store().audit_events(&query).await.expect("a store");
    assert_eq!(deleted.iter().map(|event| event.subject).collect::<Vec<_>>(), [Some(user)]);
}

/// AU1: a registration that nobody may learn of is on record all the same.
pub async fn au1_concealed_registrations_leave_entries(mount: &Mount) {
    use AuditKind as K;
    let world = World::new(mount).await;
    let person = Person::new();
    let register = || world.post("/register", person.credentials());
    expect(&world, register(), &[K::RegistrationPending]).await;
    expect(&world, register(), &[K::RegistrationPending]).await;
    let token = world.link(&person, MailKind::Verify).await;
    let confirm = || world.post("/verify/confirm", json!({ "token": token }));
    expect(&world, confirm(), &[K::Registered, K::EmailVerified]).await;
    expect(&world, confirm(), &[K::VerificationFailed]).await;
    expect(&world, register(), &[K::RegistrationRefused]).await;
    // Signing in again in the same browser ends what was there.
    let browser = world.sign_in(&person).await;
    let again = world.post("/login", person.credentials()).by(&browser);
    expect(&world, again, &[K::SignedIn, K::SignedOut]).await;
}

/// Sends a call under a request id of its own, and compares the entries that it leaves.
async fn expect(world: &World, call: Call, kinds: &[AuditKind]) -> Reply {
    world.clock().advance(TICK);
    let id = crate::given::id::<auth_core::domain::EventId>().to_string();
    let peer = "198.51.100.7";
    let reply = call.from(peer).header("x-request-id", &id).header("user-agent", "curl/8.11.1").await;
    let events = world
        .store()
        .audit_events(&AuditQuery { limit: 1000, ..AuditQuery::default() })
        .await
        .expect("a store that answers");
    let mut events: Vec<_> = events.into_iter().filter(|event| event.request_id.as_deref() == Some(&*id)).collect();
    events.sort_by_key(|event| event.kind.as_str());
    let mut expected: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), expected, "{reply:?}");
    for event in events {
        assert_eq!(event.at, world.auth().now(), "{event:?}");
        assert_eq!(event.ip, peer.parse::<IpAddr>().ok(), "{event:?}");
        assert_eq!(event.user_agent.as_deref(), Some("curl/8.11.1"), "{event:?}");
        match event.kind {
            // Who presents an unknown link or a wrong code is nobody known; nor is an address without an account anybody.
            AuditKind::VerificationFailed
            | AuditKind::ResetFailed
            | AuditKind::EmailChangeFailed
            | AuditKind::RegistrationPending => assert_eq!(event.subject, None, "{event:?}"),
            // It was done to nobody.
            AuditKind::AdministrationRefused => assert!(event.actor.is_some(), "{event:?}"),
            _ => assert!(event.subject.is_some(), "{event:?}"),
        }
    }
    reply
}

/// AU3: what a client calls itself is escaped and cut before it is kept or shown.
pub async fn au3_agents_are_escaped(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    world.clock().advance(DAY);
    let agent = format!("evil\u{202e}\u{2028}\t {}", "x".repeat(1000));
    let call = world.post("/login", person.credentials()).header("user-agent", &agent);
    let credentials = Credentials::of(&call.await);
    let me = world.get("/me").by(&credentials).await.expect(200);
    let shown = me["session"]["userAgent"].as_str().expect("a text").to_owned();
    assert!(shown.starts_with("evil\\u{202e}\\u{2028}\\u{9} xxx") && shown.len() < 300, "{shown}");
    let device = me["session"]["device"].as_str().expect("a text");
    assert!(device.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{device}");
}
