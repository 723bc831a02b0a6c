//! Mailed links and codes.

use std::time::Duration;

use auth_core::domain::{Content, MailKind, Notice, Purpose, Status};
use http::Method;
use serde_json::{Value, json};

use super::world::{FRONTEND_URL, limit};
use super::{Mount, Person, Tokens, World};
use crate::given::{DAY, HOUR, MINUTE, TICK};
use crate::race::race;

const NEW: &str = "a new and quite long password";

async fn request_reset(world: &World, person: &Person) {
    world.post("/password/reset/request", json!({ "email": person.email })).from(&person.peer).await.expect(202);
}

fn reset_with(token: &str, password: &str) -> Value {
    json!({ "token": token, "password": password })
}

/// VT2: each link and code lives as long as documented, to the tick.
pub async fn vt2_lifetimes(mount: &Mount) {
    let world = World::new(mount).await;
    let after_a_tick = TICK + TICK;
    for (age, lives) in [(DAY - TICK, true), (DAY, false), (DAY - TICK + after_a_tick, false)] {
        let (linked, coded) = (world.registered().await, world.registered().await);
        let link = json!({ "token": world.link(&linked, MailKind::Verify).await });
        let code = json!({ "email": coded.email, "code": world.code(&coded, MailKind::Verify).await });
        world.clock().advance(age);
        for body in [link, code] {
            let reply = world.post("/verify/confirm", body).await;
            assert!(if lives { reply.status == 200 } else { reply.is_problem("TOKEN_INVALID") }, "{age:?}: {reply:?}");
        }
    }
    for (age, lives) in [(HOUR - TICK, true), (HOUR, false), (HOUR + TICK, false)] {
        let person = world.registered().await;
        request_reset(&world, &person).await;
        let link = world.link(&person, MailKind::Reset).await;
        world.clock().advance(age);
        let reply = world.post("/password/reset/confirm", reset_with(&link, NEW)).await;
        assert!(if lives { reply.status == 204 } else { reply.is_problem("TOKEN_INVALID") }, "{age:?}: {reply:?}");
    }
    for (age, lives) in [(10 * MINUTE - TICK, true), (10 * MINUTE, false), (10 * MINUTE + TICK, false)] {
        let person = world.registered().await;
        request_reset(&world, &person).await;
        let code = world.code(&person, MailKind::Reset).await;
        world.clock().advance(age);
        let body = json!({ "email": person.email, "code": code, "password": NEW });
        let reply = world.post("/password/reset/confirm", body).await;
        assert!(if lives { reply.status == 204 } else { reply.is_problem("TOKEN_INVALID") }, "{age:?}: {reply:?}");
    }
}

/// VT3: of fifty racing confirmations by one link one succeeds, and the password is that winner's.
pub async fn vt3_a_link_is_spent_once(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    request_reset(&world, &person).await;
    let link = world.link(&person, MailKind::Reset).await;
    let password = |i: usize| format!("the racer's password, number {i}");
    let outcomes = race(50, |i| {
        let call = world.post("/password/reset/confirm", reset_with(&link, &password(i)));
        async move {
            let reply = call.await;
            if reply.status == 204 { Ok(()) } else { Err(reply.problem("TOKEN_INVALID")) }
        }
    });
    let winner = outcomes.await.single_ok();
    world.sign_in(&Person { password: password(winner), ..person.clone() }).await;
    let loser = Person { password: password((winner + 1) % 50), ..person };
    world.post("/login", loser.credentials()).await.problem("UNAUTHORIZED");
}

/// VT3: the same by code, for proving an address; no more confirmations succeed than codes were mailed.
pub async fn vt3_a_code_is_spent_once(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let code = world.code(&person, MailKind::Verify).await;
    let outcomes = race(50, |_| {
        let call = world.post("/verify/confirm", json!({ "email": person.email, "code": code }));
        async move {
            let reply = call.await;
            if reply.status == 200 { Ok(()) } else { Err(reply.problem("TOKEN_INVALID")) }
        }
    });
    outcomes.await.single_ok();
}

/// VT5: a link or code is good for its purpose and address only, and trying it elsewhere doesn't spend it.
pub async fn vt5_tokens_are_good_for_one_thing(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    request_reset(&world, &person).await;
    let (verify, reset) = (world.link(&person, MailKind::Verify).await, world.link(&person, MailKind::Reset).await);
    world.post("/password/reset/confirm", reset_with(&verify, NEW)).await.problem("TOKEN_INVALID");
    world.post("/verify/confirm", json!({ "token": reset })).await.problem("TOKEN_INVALID");
    world.post("/verify/confirm", json!({ "token": verify })).await.expect(200);
    world.post("/password/reset/confirm", reset_with(&reset, NEW)).await.expect(204);
    // A suspended user's links are dead, and not told apart.
    let other = world.registered().await;
    let verify = world.link(&other, MailKind::Verify).await;
    world.set_status(&other, Status::Suspended).await;
    world.post("/verify/confirm", json!({ "token": verify })).await.problem("TOKEN_INVALID");
}

/// VT5: one person's code is no good for another.
pub async fn vt5_codes_are_bound_to_their_account(mount: &Mount) {
    let world = World::new(mount).await;
    let (ann, bob) = (world.registered().await, world.registered().await);
    let (anns, bobs) = (world.code(&ann, MailKind::Verify).await, world.code(&bob, MailKind::Verify).await);
    assert_ne!(anns, bobs, "one in a million: run it again");
    let confirm =
        |person: &Person, code: &str| world.post("/verify/confirm", json!({ "email": person.email, "code": code }));
    confirm(&ann, &bobs).await.problem("TOKEN_INVALID");
    confirm(&bob, &anns).await.problem("TOKEN_INVALID");
    let verified = confirm(&ann, &anns).await.expect(200);
    assert_eq!(verified["user"]["email"], ann.email);
    confirm(&bob, &bobs).await.expect(200);
}

/// VT6: of fifty racing guesses five are compared, and the right code is dead after them; the link isn't.
pub async fn vt6_attempts_at_a_code_are_bounded(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    request_reset(&world, &person).await;
    let (code, link) = (world.code(&person, MailKind::Reset).await, world.link(&person, MailKind::Reset).await);
    let guess = |code: &str| {
        world.post("/password/reset/confirm", json!({ "email": person.email, "code": code, "password": NEW }))
    };
    let outcomes = race(50, |i| {
        let call = guess(wrong(&code, i));
        async move { call.await }
    });
    for reply in outcomes.await.0 {
        reply.problem("TOKEN_INVALID");
    }
    let user = world.user_id(&person).await;
    let tokens = world.store().tokens_of(user, Purpose::ResetPassword).await.expect("a store");
    assert_eq!(tokens.iter().map(|token| token.attempts).collect::<Vec<_>>(), [5]);
    guess(&code).await.problem("TOKEN_INVALID");
    world.post("/password/reset/confirm", reset_with(&link, NEW)).await.expect(204);
}

/// VT6: asking for another code brings no more guesses: five an hour, ten a day, over all codes of the account.
pub async fn vt6_failures_count_over_codes(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.mail_account = limit(100, 3600)).await;
    let person = world.registered().await;
    let guess = async |code: &str| {
        let body = json!({ "email": person.email, "code": code, "password": NEW });
        world.post("/password/reset/confirm", body).await
    };
    for hour in 0..3 {
        for round in 0..2 {
            request_reset(&world, &person).await;
            let code = world.code(&person, MailKind::Reset).await;
            for i in 0..4 - round {
                guess(wrong(&code, i)).await.problem("TOKEN_INVALID");
            }
        }
        // Seven were wrong (five of them compared): the right one is refused.
        request_reset(&world, &person).await;
        guess(&world.code(&person, MailKind::Reset).await).await.problem("TOKEN_INVALID");
        if hour < 2 {
            world.clock().advance(HOUR);
        }
    }
    // An hour after the last of ten in a day there are still none.
    world.clock().advance(HOUR);
    request_reset(&world, &person).await;
    guess(&world.code(&person, MailKind::Reset).await).await.problem("TOKEN_INVALID");
    // The link never needed them.
    let link = world.link(&person, MailKind::Reset).await;
    world.post("/password/reset/confirm", reset_with(&link, NEW)).await.expect(204);
}

/// VT6: strangers who ask for mail, and guess, don't take the owner's link away.
pub async fn vt6_a_strangers_requests_spare_the_owners_link(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.mail_account = limit(100, 3600)).await;
    let person = world.registered().await;
    request_reset(&world, &person).await;
    let link = world.link(&person, MailKind::Reset).await;
    for i in 0..20 {
        let stranger = format!("203.0.113.{i}");
        world.clock().advance(Duration::from_secs(1));
        world.post("/password/reset/request", json!({ "email": person.email })).from(&stranger).await.expect(202);
        let body = json!({ "email": person.email, "code": "000000", "password": NEW });
        world.post("/password/reset/confirm", body).from(&stranger).await;
    }
    world.post("/password/reset/confirm", reset_with(&link, NEW)).await.expect(204);
}

/// VT7: a reset ends sessions and every other link, tells the owner, proves the address, and signs nobody in.
pub async fn vt7_a_reset_ends_everything(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let (one, two) = (world.sign_in(&person).await, world.sign_in(&person).await);
    request_reset(&world, &person).await;
    let earlier = world.link(&person, MailKind::Reset).await;
    request_reset(&world, &person).await;
    let (link, code) = (world.link(&person, MailKind::Reset).await, world.code(&person, MailKind::Reset).await);

    // A refused password spends nothing.
    for weak in ["password", "short", &person.email] {
        world.post("/password/reset/confirm", reset_with(&link, weak)).await.problem("VALIDATION_FAILED");
    }
    let reply = world.post("/password/reset/confirm", reset_with(&link, NEW)).await;
    assert_eq!((reply.expect(204), reply.body.len()), (Value::Null, 0));

    for credentials in [&one, &two] {
        credentials.assert_dead(&world).await;
    }
    for spent in [&link, &earlier] {
        world.post("/password/reset/confirm", reset_with(spent, NEW)).await.problem("TOKEN_INVALID");
    }
    let body = json!({ "email": person.email, "code": code, "password": NEW });
    world.post("/password/reset/confirm", body).await.problem("TOKEN_INVALID");
    let told = world.inbox().await.last(&person.address(), MailKind::Notice);
    assert!(matches!(told.content, Content::Notice(Notice::PasswordReset)));
    let changed = Person { password: NEW.into(), ..person };
    let me = world.get("/me").by(&world.sign_in(&changed).await).await.expect(200);
    assert_eq!(me["user"]["emailVerified"], true);
}

/// VT8: a mail scanner that follows every link spends nothing.
pub async fn vt8_looking_spends_nothing(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    request_reset(&world, &person).await;
    let (verify, reset) = (world.link(&person, MailKind::Verify).await, world.link(&person, MailKind::Reset).await);
    for _ in 0..3 {
        for (path, token) in [("/verify/confirm", &verify), ("/password/reset/confirm", &reset)] {
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                let reply = world.call(method, &format!("{path}?token={token}")).await;
                assert_eq!(reply.status, 405);
            }
        }
        for (page, token) in [("/verify-email", &verify), ("/reset-password", &reset)] {
            world.at(Method::GET, &format!("{page}?token={token}")).await;
        }
    }
    world.post("/verify/confirm", json!({ "token": verify })).await.expect(200);
    world.post("/password/reset/confirm", reset_with(&reset, NEW)).await.expect(204);
    let links = [MailKind::Verify, MailKind::Reset].map(|kind| (kind, person.address()));
    for (kind, address) in links {
        assert!(world.inbox().await.link(&address, kind).starts_with(FRONTEND_URL));
    }
}

/// DF6: a node whose clock is set back, or wrong by five minutes, accepts nothing twice and revives nothing.
pub async fn df6_a_clock_set_back_revives_nothing(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    request_reset(&world, &person).await;
    let (verify, reset) = (world.link(&person, MailKind::Verify).await, world.link(&person, MailKind::Reset).await);
    let credentials = world.tokens(&person).await;
    let rotated = Tokens::of(&credentials.refresh(&world).await.expect(200));
    world.post("/verify/confirm", json!({ "token": verify })).await.expect(200);
    world.post("/logout", json!({})).bearer(&rotated.access).await.expect(204);
    world.post("/password/reset/confirm", reset_with(&reset, NEW)).await.expect(204);

    world.clock().set_back(5 * MINUTE);
    world.post("/verify/confirm", json!({ "token": verify })).await.problem("TOKEN_INVALID");
    world.post("/password/reset/confirm", reset_with(&reset, NEW)).await.problem("TOKEN_INVALID");
    for dead in [&credentials, &rotated] {
        dead.refresh(&world).await.problem("UNAUTHORIZED");
        assert!(!dead.is_live(&world).await);
    }
    // What a node made whose clock is five minutes ahead isn't good here before its time; half a minute is let pass.
    let changed = Person { password: NEW.into(), ..person };
    world.clock().advance(10 * MINUTE);
    let ahead = world.tokens(&changed).await;
    world.clock().set_back(5 * MINUTE);
    assert!(!ahead.is_live(&world).await);
    world.clock().advance(5 * MINUTE - Duration::from_secs(30));
    assert!(ahead.is_live(&world).await);
    let rotated = Tokens::of(&ahead.refresh(&world).await.expect(200));
    assert!(rotated.is_live(&world).await);
    world.clock().advance(10 * MINUTE);
    assert!(rotated.is_live(&world).await);
}

/// A code that isn't `code`; another for each of the first few `i`.
fn wrong(code: &str, i: usize) -> &'static str {
    const CODES: [&str; 6] = ["000000", "111111", "222222", "333333", "444444", "555555"];
    let mut others = CODES.into_iter().filter(|other| *other != code).cycle();
    others.nth(i % 5).unwrap_or("666666")
}
