//! The profile `two-step`: password, then a mailed code, with tokens in cookies.

use auth_core::domain::MailKind;
use http::Method;
use serde_json::{Value, json};

use super::cookies::shown;
use super::snapshot::assert_snapshot;
use super::world::PUBLIC_URL;
use super::{Cookies, Credentials, Mount, Person, Reply, World};
use crate::given::MINUTE;
use crate::race::race;

/// What a browser holds after the first step.
async fn first_step(world: &World, person: &Person) -> (Reply, Cookies) {
    let reply = world.post("/login/credentials", person.credentials()).from(&person.peer).await;
    let cookies = Cookies::default().after(&reply);
    (reply, cookies)
}

async fn second_step(world: &World, person: &Person, cookies: &Cookies) -> Reply {
    let code = world.code(person, MailKind::SecondFactor).await;
    world.post("/login/2fa", json!({ "code": code })).with_cookies(cookies).from(&person.peer).await
}

/// Sign up, prove the address, password, code, look, refresh, sign out, sign out everywhere.
pub async fn from_sign_up_to_logout_all(mount: &Mount) {
    let world = World::new(mount).await;
    assert_eq!(world.prefix(), "/auth");
    let person = Person::new();
    assert_eq!(world.post("/register", person.credentials()).await.expect(202), json!({}));
    let code = world.code(&person, MailKind::Verify).await;
    world.post("/verify/confirm", json!({ "email": person.email, "code": code })).await.expect(200);

    let (asked, cookies) = first_step(&world, &person).await;
    let asked = asked.expect(200);
    assert_eq!(
        (&asked["mfaRequired"], &asked["methods"], &asked["expiresIn"]),
        (&json!(true), &json!(["email"]), &json!(900))
    );
    assert!(cookies.has("two_factor_auth") && !cookies.has("access_token") && !cookies.has("refresh_token"));
    world.get("/me").with_cookies(&cookies).await.problem("UNAUTHORIZED");

    let reply = second_step(&world, &person, &cookies).await;
    let body = reply.expect(200);
    let keys: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(
        (keys, &body["expiresIn"], &body["user"]["email"]),
        (vec![&"expiresIn".to_owned(), &"user".to_owned()], &json!(900), &json!(person.email))
    );
    let cookies = cookies.after(&reply);
    assert!(cookies.has("access_token") && cookies.has("refresh_token") && !cookies.has("two_factor_auth"));
    let me = world.get("/me").with_cookies(&cookies).await.expect(200);
    assert_eq!(me["user"]["id"], body["user"]["id"]);
    // No token of a page is asked for.
    let edit = world.call(Method::PATCH, "/me").json(&json!({ "name": "Ann" })).with_cookies(&cookies);
    edit.await.expect(200);

    let refreshed = world.post("/refresh", json!({})).with_cookies(&cookies).await;
    let cookies = cookies.after(&refreshed);
    refreshed.expect(200);
    let out = world.post("/logout", json!({})).with_cookies(&cookies).await;
    out.expect(204);
    let left = cookies.after(&out);
    assert!(!left.has("access_token") && !left.has("refresh_token"), "{out:?}");
    world.get("/me").with_cookies(&cookies).await.problem("UNAUTHORIZED");
    world.post("/refresh", json!({})).with_cookies(&cookies).await.problem("UNAUTHORIZED");

    let (one, other) = (world.sign_in(&person).await, world.sign_in(&person).await);
    world.post("/logout/all", json!({})).by(&one).await.expect(204);
    for credentials in [one, other] {
        assert!(!credentials.is_live(&world).await);
        world.post("/refresh", json!({})).with_cookies(credentials.cookies()).await.problem("UNAUTHORIZED");
    }
}

/// CS1: every cookie that either step, a refresh and a sign-out set or clear.
pub async fn cs1_every_cookie_of_both_steps(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let (reply, cookies) = first_step(&world, &person).await;
    let mut found = vec![shown("login/credentials", &reply)];
    let reply = world.post("/login/2fa", json!({ "code": "000000" })).with_cookies(&cookies).await;
    found.push(shown("login/2fa, wrong", &reply));
    let reply = second_step(&world, &person, &cookies).await;
    found.push(shown("login/2fa", &reply));
    let cookies = cookies.after(&reply);
    let reply = world.post("/refresh", json!({})).with_cookies(&cookies).await;
    found.push(shown("refresh", &reply));
    let reply = world.post("/refresh", json!({})).with_cookies(&cookies).await;
    found.push(shown("refresh, again", &reply));
    let reply = world.post("/logout", json!({})).with_cookies(&cookies).await;
    found.push(shown("logout", &reply));
    assert_snapshot("set-cookies-two-step", &found.join("\n"));
}

/// RR3, RR2: of 50 refreshes at once one gets a successor and no cookie is cleared; an older token ends the session.
pub async fn rr3_rotation_in_cookies(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.sign_in(&person).await;
    let cookies = credentials.cookies().clone();
    let outcomes = race(50, |_| {
        let (world, cookies) = (world.clone(), cookies.clone());
        async move { world.post("/refresh", json!({})).with_cookies(&cookies).await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.0.iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|reply| reply.is_problem("UNAUTHORIZED") && reply.set_cookies().is_empty()));
    let next = cookies.after(won[0]);
    assert_ne!(next.value("refresh_token"), cookies.value("refresh_token"));
    world.get("/me").with_cookies(&next).await.expect(200);
    world.clock().advance(MINUTE);
    world.post("/refresh", json!({})).with_cookies(&cookies).await.problem("UNAUTHORIZED");
    world.get("/me").with_cookies(&next).await.problem("UNAUTHORIZED");
    world.post("/refresh", json!({})).with_cookies(&next).await.problem("UNAUTHORIZED");
}

/// MF4: a browser's challenge that is dead is taken from it; one that lives stays through a wrong code.
pub async fn mf4_a_dead_challenge_is_taken_from_the_browser(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let (_, cookies) = first_step(&world, &person).await;
    let wrong = || world.post("/login/2fa", json!({ "code": "0000-0000-0000-0000" })).with_cookies(&cookies);
    for _ in 0..5 {
        let reply = wrong().await;
        reply.problem("CODE_INVALID");
        assert!(reply.set_cookies().is_empty(), "{reply:?}");
    }
    let reply = wrong().await;
    reply.problem("UNAUTHORIZED");
    assert!(!cookies.after(&reply).has("two_factor_auth"), "{reply:?}");
    let without = world.post("/login/2fa", json!({ "code": "000000" })).await;
    without.problem("UNAUTHORIZED");
    assert!(without.set_cookies().is_empty());
    let resent = world.post("/login/2fa/resend", json!({})).with_cookies(&cookies).await;
    resent.problem("UNAUTHORIZED");
    let (_, cookies) = first_step(&world, &person).await;
    world.code(&person, MailKind::SecondFactor).await;
    assert_eq!(world.post("/login/2fa/resend", json!({})).with_cookies(&cookies).await.expect(202), json!({}));
    second_step(&world, &person, &cookies).await.expect(200);
}

/// CS3: no other site makes a browser take a step, refresh, or do anything at all: the origin decides, without a page's token.
pub async fn cs3_no_other_site_takes_a_step(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let (_, challenge) = first_step(&world, &person).await;
    let credentials = world.sign_in(&person).await;
    let cookies = credentials.cookies();
    let code = world.code(&person, MailKind::SecondFactor).await;
    for origin in ["https://evil.example", "null", "https://auth.example.com.evil.example", "http://auth.example.com"] {
        let sent = |path: &str, body: Value, cookies: &Cookies| {
            world.post(path, body).with_cookies(cookies).header("origin", origin)
        };
        sent("/login/2fa", json!({ "code": code }), &challenge).await.problem("CSRF_FAILED");
        sent("/refresh", json!({}), cookies).await.problem("CSRF_FAILED");
        sent("/logout", json!({}), cookies).await.problem("CSRF_FAILED");
        sent("/logout/all", json!({}), cookies).await.problem("CSRF_FAILED");
    }
    let cross_site = world.post("/logout/all", json!({})).with_cookies(cookies).header("sec-fetch-site", "cross-site");
    cross_site.await.problem("CSRF_FAILED");
    assert!(credentials.is_live(&world).await);
    world.post("/refresh", json!({})).with_cookies(cookies).header("origin", PUBLIC_URL).await.expect(200);
}

/// JW4: each token is good in its own cookie only, and in no header.
pub async fn jw4_each_cookie_is_good_for_one_thing(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let (_, challenge) = first_step(&world, &person).await;
    let challenge = challenge.value("two_factor_auth").to_owned();
    let credentials = world.sign_in(&person).await;
    let (access, refresh) = {
        let cookies = credentials.cookies();
        (cookies.value("access_token").to_owned(), cookies.value("refresh_token").to_owned())
    };
    for other in [&refresh, &challenge] {
        world.get("/me").header("cookie", &format!("access_token={other}")).await.problem("UNAUTHORIZED");
    }
    for other in [&access, &challenge] {
        let reply = world.post("/refresh", json!({})).header("cookie", &format!("refresh_token={other}")).await;
        reply.problem("UNAUTHORIZED");
    }
    for other in [&access, &refresh] {
        let step = world.post("/login/2fa", json!({ "code": "000000" }));
        step.header("cookie", &format!("two_factor_auth={other}")).await.problem("UNAUTHORIZED");
    }
    world.get("/me").bearer(&access).await.problem("UNAUTHORIZED");
    let twice = format!("access_token={access}; access_token={access}");
    world.get("/me").header("cookie", &twice).await.problem("UNAUTHORIZED");
    assert!(matches!(credentials, Credentials::Browser(_)) && credentials.is_live(&world).await);
}
