//! Rotation of refresh tokens.

use std::time::Duration;

use auth_core::domain::{MailKind, Status};
use auth_core::settings::Reuse;
use http::Method;
use serde_json::json;

use super::{Mount, Tokens, World};
use crate::Fault;
use crate::given::{DAY, TICK};
use crate::race::race;

const SECOND: Duration = Duration::from_secs(1);

/// RR1: a refresh token lives seven days from its own making; each has its own.
pub async fn rr1_refresh_tokens_expire(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    for (age, lives) in [(7 * DAY - TICK, true), (7 * DAY, false), (7 * DAY + TICK, false)] {
        let first = world.tokens(&person).await;
        world.clock().advance(DAY);
        let credentials = Tokens::of(&first.refresh(&world).await.expect(200));
        world.clock().advance(age);
        let reply = credentials.refresh(&world).await;
        assert!(if lives { reply.status == 200 } else { reply.is_problem("UNAUTHORIZED") }, "{age:?}: {reply:?}");
    }
}

/// RR2: a token of two rotations ago ends its session, at once and whenever it comes; other sessions live on.
pub async fn rr2_an_old_token_ends_its_session_only(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let bystander = world.tokens(&person).await;
    let r0 = world.tokens(&person).await;
    let r1 = Tokens::of(&r0.refresh(&world).await.expect(200));
    let r2 = Tokens::of(&r1.refresh(&world).await.expect(200));
    r0.refresh(&world).await.problem("UNAUTHORIZED");
    for dead in [&r0, &r1, &r2] {
        assert!(!dead.is_live(&world).await);
        dead.refresh(&world).await.problem("UNAUTHORIZED");
    }
    assert!(bystander.is_live(&world).await);
    bystander.refresh(&world).await.expect(200);

    // The last one, but later than a second tab would send it.
    let r0 = world.tokens(&person).await;
    let r1 = Tokens::of(&r0.refresh(&world).await.expect(200));
    world.clock().advance(10 * SECOND + TICK);
    r0.refresh(&world).await.problem("UNAUTHORIZED");
    assert!(!r1.is_live(&world).await);
    r1.refresh(&world).await.problem("UNAUTHORIZED");
}

/// RR2: the token just replaced costs no more than a 401 within the leeway, also when it comes twice.
pub async fn rr2_the_leeway_forgives_the_last(mount: &Mount) {
    let world = World::new(mount).await;
    let r0 = world.tokens(&world.registered().await).await;
    let r1 = Tokens::of(&r0.refresh(&world).await.expect(200));
    world.clock().advance(9 * SECOND);
    for _ in 0..2 {
        r0.refresh(&world).await.problem("UNAUTHORIZED");
    }
    assert!(r1.is_live(&world).await);
    r1.refresh(&world).await.expect(200);
    // Made-up tokens harm nobody's session.
    let mut forged = r1.refresh.clone();
    forged.replace_range(40..44, "AAAA");
    world.post("/refresh", json!({ "refreshToken": forged })).await.problem("UNAUTHORIZED");
    assert!(r1.is_live(&world).await);
}

/// RR3: of fifty requests with one token one gets the successor; the session lives, and the successor works.
pub async fn rr3_one_successor_under_race(mount: &Mount) {
    let world = World::new(mount).await;
    let first = world.tokens(&world.registered().await).await;
    let outcomes = race(50, |_| {
        let call = first.refresh(&world);
        async move { call.await }
    });
    let replies = outcomes.await.0;
    let mut winners = Vec::new();
    for reply in &replies {
        // The losers are refused; those beyond the account's budget of failures are told to wait.
        match reply.status {
            200 => winners.push(Tokens::of(&reply.json())),
            429 => {
                reply.problem("RATE_LIMITED");
            }
            _ => {
                reply.problem("UNAUTHORIZED");
            }
        }
    }
    let [winner] = &winners[..] else { panic!("{} successors", winners.len()) };
    assert!(winner.is_live(&world).await && first.is_live(&world).await);
    winner.refresh(&world).await.expect(200);
}

/// RR3: with `resume` all of them get the same successor.
pub async fn rr3_resume_hands_out_the_same_successor(mount: &Mount) {
    let world = World::with(mount, |options| options.core.reuse = Reuse::Resume).await;
    let first = world.tokens(&world.registered().await).await;
    let outcomes = race(50, |_| {
        let call = first.refresh(&world);
        async move { Tokens::of(&call.await.expect(200)).refresh }
    });
    let mut successors = outcomes.await.0;
    successors.dedup();
    assert_eq!(successors.len(), 1);
    // Beyond the leeway it is theft all the same.
    world.clock().advance(10 * SECOND + TICK);
    first.refresh(&world).await.problem("UNAUTHORIZED");
    world.post("/refresh", json!({ "refreshToken": successors[0] })).await.problem("UNAUTHORIZED");
}

/// RR4: a refresh token dies with its session, whatever ends it.
pub async fn rr4_dies_with_its_session(mount: &Mount) {
    let world = World::new(mount).await;
    for end in ["logout", "logout by token", "logout all", "end", "change", "reset", "suspend"] {
        let person = world.registered().await;
        let held = world.tokens(&person).await;
        let other = world.tokens(&person).await;
        match end {
            "logout" => world.post("/logout", json!({})).bearer(&held.access).await.expect(204),
            "logout by token" => world.post("/logout", json!({ "refreshToken": held.refresh })).await.expect(204),
            "logout all" => world.call(Method::POST, "/logout/all").bearer(&other.access).await.expect(204),
            "end" => {
                let path = format!("/sessions/{}", held.session_id(&world).await);
                world.call(Method::DELETE, &path).bearer(&other.access).await.expect(204)
            }
            "change" => {
                let body = json!({ "currentPassword": person.password, "newPassword": "a fine new password" });
                world.post("/password/change", body).bearer(&other.access).await.expect(200)
            }
            "reset" => {
                world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
                let link = world.link(&person, MailKind::Reset).await;
                let body = json!({ "token": link, "password": "a fine new password" });
                world.post("/password/reset/confirm", body).await.expect(204)
            }
            _ => {
                world.set_status(&person, Status::Suspended).await;
                json!(null)
            }
        };
        held.refresh(&world).await.problem("UNAUTHORIZED");
        assert!(!held.is_live(&world).await, "{end}");
    }
}

/// RR5: where the store can't end a session, nobody is told that it did; and a logout without anything to end is fine.
pub async fn rr5_a_session_that_may_live_is_not_reported_dead(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.tokens(&person).await;
    let id = credentials.session_id(&world).await;
    for calls in 0..2 {
        for call in [
            world.post("/logout", json!({})).bearer(&credentials.access),
            world.post("/logout", json!({ "refreshToken": credentials.refresh })),
            world.call(Method::POST, "/logout/all").bearer(&credentials.access),
            world.call(Method::DELETE, &format!("/sessions/{id}")).bearer(&credentials.access),
        ] {
            world.faults().arm(Fault::Call(calls));
            call.await.problem("UNAVAILABLE");
            world.faults().disarm();
            assert!(credentials.is_live(&world).await);
        }
    }
    world.call(Method::POST, "/logout").await.expect(204);
    world.post("/logout", json!({ "refreshToken": "unknown" })).bearer("unknown").await.expect(204);
    world.post("/logout", json!({ "refreshToken": null })).await.expect(204);
    assert!(credentials.is_live(&world).await);
    world.post("/logout", json!({ "refreshToken": credentials.refresh })).bearer("unknown").await.expect(204);
    assert!(!credentials.is_live(&world).await);
    world.post("/logout", json!({ "refreshToken": credentials.refresh })).bearer(&credentials.access).await.expect(204);
}
