//! Sessions: how they end, and whose they are.

use std::time::Duration;

use auth_core::domain::{MailKind, Status};
use http::Method;
use serde_json::{Value, json};

use super::world::limit;
use super::{Cookies, Credentials, Mount, Person, Tokens, World};
use crate::given::{DAY, TICK};
use crate::race::race;

pub(super) async fn listed(world: &World, credentials: &Credentials) -> Vec<Value> {
    let sessions = world.get("/sessions").by(credentials).await.expect(200)["sessions"].take();
    sessions.as_array().expect("a list").clone()
}

/// SE4: a session that nobody uses ends after seven days; one that is used, after thirty, and no use extends that.
pub async fn se4_idle_and_absolute_expiry(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let idle = world.tokens(&person).await;
    world.clock().advance(7 * DAY - TICK);
    let watcher = world.sign_in(&person).await;
    assert_eq!(listed(&world, &watcher).await.len(), 2);
    world.clock().advance(TICK);
    assert_eq!(listed(&world, &watcher).await.len(), 1);
    idle.refresh(&world).await.problem("UNAUTHORIZED");

    let mut used = world.tokens(&person).await;
    let id = used.session_id(&world).await;
    for _ in 0..5 {
        world.clock().advance(5 * DAY);
        used = Tokens::of(&used.refresh(&world).await.expect(200));
        assert_eq!(used.session_id(&world).await, id);
    }
    // Five days less five minutes later, the last access token is cut short.
    world.clock().advance(5 * DAY - Duration::from_secs(300));
    let last = used.refresh(&world).await.expect(200);
    assert_eq!(last["expiresIn"], 300);
    let last = Tokens::of(&last);
    world.clock().advance(Duration::from_secs(300) - TICK);
    assert!(last.refresh(&world).await.status == 200);
    world.clock().advance(TICK);
    assert!(!last.is_live(&world).await);
    last.refresh(&world).await.problem("UNAUTHORIZED");
}

/// SE5: signing out, being ended by another session, and suspension count on the very next request.
pub async fn se5_ends_count_on_the_next_request(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let (one, two, three) = (world.sign_in(&person).await, world.sign_in(&person).await, world.sign_in(&person).await);
    world.post("/logout", json!({})).by(&one).await.expect(204);
    assert!(!one.is_live(&world).await && two.is_live(&world).await);
    let id = two.session_id(&world).await;
    world.call(Method::DELETE, &format!("/sessions/{id}")).by(&three).await.expect(204);
    assert!(!two.is_live(&world).await && three.is_live(&world).await);
    world.set_status(&person, Status::Suspended).await;
    assert!(!three.is_live(&world).await);
    // Coming back doesn't bring back what was open.
    world.set_status(&person, Status::Active).await;
    assert!(!three.is_live(&world).await);
    assert!(world.sign_in(&person).await.is_live(&world).await);
}

/// SE6, RB2: one sees and ends one's own sessions only, and a session's id opens nothing.
pub async fn se6_sessions_are_ones_own(mount: &Mount) {
    let world = World::new(mount).await;
    let (ann, bob) = (world.registered().await, world.registered().await);
    let (anns, bobs) = (world.sign_in(&ann).await, world.sign_in(&bob).await);
    let second = world.sign_in(&ann).await;
    let ids = (anns.session_id(&world).await, second.session_id(&world).await);

    let sessions = listed(&world, &anns).await;
    let flags: Vec<_> = sessions.iter().map(|s| (s["id"].as_str().unwrap_or_default(), &s["current"])).collect();
    assert_eq!(flags.len(), 2);
    assert!(flags.contains(&(&*ids.0, &json!(true))) && flags.contains(&(&*ids.1, &json!(false))));
    assert!(!sessions.iter().any(|session| session.to_string().contains(anns.secret())));
    assert_eq!(listed(&world, &bobs).await.len(), 1);

    let end = |id: &str, by: &Credentials| world.call(Method::DELETE, &format!("/sessions/{id}")).by(by);
    for unknown in [&*ids.0, "01890a5d-ac96-774b-bcce-b302099a8057", "7", "%00", "' or 1=1 --"] {
        end(&unknown.replace(' ', "+"), &bobs).await.problem("NOT_FOUND");
    }
    assert!(anns.is_live(&world).await);
    for id in [&ids.0, &ids.1] {
        world.get("/me").bearer(id).await.problem("UNAUTHORIZED");
        world.get("/me").with_cookies(&Cookies::default().with("session", id)).await.problem("UNAUTHORIZED");
        if let Credentials::Tokens(_) = anns {
            world.post("/refresh", json!({ "refreshToken": id })).await.problem("UNAUTHORIZED");
        }
    }
    end(&ids.1, &anns).await.expect(204);
    end(&ids.1, &anns).await.problem("NOT_FOUND");
    end(&ids.0, &anns).await.expect(204);
    assert!(!anns.is_live(&world).await);
}

/// SE7: while everything is being logged out, sign-ins and refreshes that are under way leave no earlier credential
/// alive.
pub async fn se7_logging_out_everywhere_leaves_none_behind(mount: &Mount) {
    let world = World::with(mount, |options| {
        options.core.limits.credential_account = limit(1000, 3600);
        options.core.limits.sign_in_account = limit(1000, 900);
    })
    .await;
    let person = world.registered().await;
    let mut held = Vec::new();
    for _ in 0..24 {
        held.push(world.sign_in(&person).await);
    }
    let outcomes = race(50, |i| {
        let call = match i {
            0 => world.call(Method::POST, "/logout/all").by(&held[0]),
            // Not the one that logs out: a browser that proves anew who it is ends it.
            1..24 => match &held[i] {
                Credentials::Tokens(tokens) => tokens.refresh(&world),
                // A browser's way to a new credential.
                browser => world.post("/reauthenticate", json!({ "password": person.password })).by(browser),
            },
            _ => world.post("/login", person.credentials()).from(&person.peer),
        };
        async move { call.await }
    });
    let replies = outcomes.await.0;
    replies[0].expect(204);
    for reply in &replies[1..24] {
        if reply.status == 200 {
            held.push(Credentials::of(reply));
        }
    }
    for earlier in &held {
        earlier.assert_dead(&world).await;
    }
    for reply in &replies[24..] {
        assert!(matches!(reply.status, 200 | 401 | 503), "{reply:?}");
    }
    assert!(world.sign_in(&person).await.is_live(&world).await);
}

/// SE8: a change of password ends every other session and carries this one over, under a new credential.
pub async fn se8_a_change_of_password_carries_one_session_over(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let (mine, other, token_client) =
        (world.sign_in(&person).await, world.sign_in(&person).await, world.sign_in(&person).await);
    let token_client = match token_client {
        Credentials::Tokens(tokens) => Credentials::Tokens(Tokens::of(&tokens.refresh(&world).await.expect(200))),
        browser @ Credentials::Browser(_) => browser,
    };
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let link = world.link(&person, MailKind::Reset).await;
    let before = world.get("/me").by(&mine).await.expect(200);

    let body = json!({ "currentPassword": person.password, "newPassword": "a fine new password" });
    let changed = Credentials::of(&world.post("/password/change", body).by(&mine).await);
    for dead in [&mine, &other, &token_client] {
        dead.assert_dead(&world).await;
    }
    assert!(changed.is_live(&world).await);
    let after = world.get("/me").by(&changed).await.expect(200);
    assert_eq!(after["session"]["createdAt"], before["session"]["createdAt"]);
    assert_eq!(listed(&world, &changed).await.len(), 1);
    if let Credentials::Tokens(tokens) = &changed {
        tokens.refresh(&world).await.expect(200);
    }
    let body = json!({ "token": link, "password": "another new password" });
    world.post("/password/reset/confirm", body).await.problem("TOKEN_INVALID");
    world.post("/login", person.credentials()).await.problem("UNAUTHORIZED");
    world.sign_in(&Person { password: "a fine new password".into(), ..person }).await;
}
