//! Sessions in a browser's cookies.

use auth_core::domain::{Credential, Role, Secret};
use auth_http::SameSite;
use http::Method;
use serde_json::json;

use super::sessions::listed;
use super::snapshot::assert_snapshot;
use super::world::{FRONTEND_URL, PUBLIC_URL};
use super::{Cookies, Credentials, Mount, Person, Reply, World, table};
use crate::given::{DAY, HOUR, TICK};

/// What a reply sets and clears, without the values.
pub(super) fn shown(what: &str, reply: &Reply) -> String {
    let lines = reply.set_cookies().into_iter().map(|cookie| {
        let (name, rest) = cookie.split_once('=').expect("a value");
        let (value, attributes) = rest.split_once(';').expect("attributes");
        format!("\n  {name}={};{attributes}", if value.is_empty() { "" } else { "…" })
    });
    format!("{what}: {}{}", reply.status, lines.collect::<String>())
}

/// Every reply that sets or clears a cookie, one after the other, as a browser's life brings them.
async fn life(world: &World) -> String {
    let person = world.registered().await;
    let mut found = vec![shown("register", &world.post("/register", Person::new().credentials()).await)];
    let reply = world.post("/login", person.credentials()).await;
    found.push(shown("login", &reply));
    // As the browser has them, under their own names.
    let names: Vec<String> = reply.set_cookies().iter().filter_map(|c| Some(c.split_once('=')?.0.to_owned())).collect();
    let mut values: Vec<String> = vec![String::new(); names.len()];
    let mut keep = |reply: &Reply| {
        for cookie in reply.set_cookies() {
            let (name, rest) = cookie.split_once('=').expect("a value");
            let value = rest.split_once(';').expect("attributes").0.to_owned();
            if let Some(at) = names.iter().position(|other| other == name) {
                values[at] = value;
            }
        }
        names.iter().zip(&values).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    };
    let mut header = keep(&reply);
    let mut token = reply.json()["csrfToken"].as_str().expect("a token").to_owned();
    let new = "a fine new password";
    let send = |method, path: &str, header: &str, token: &str| {
        world.call(method, path).header("cookie", header).header("x-csrf-token", token)
    };
    let reply = send(Method::GET, "/csrf", &header, &token).await;
    found.push(shown("csrf", &reply));
    header = keep(&reply);
    let body = json!({ "password": person.password });
    let reply = send(Method::POST, "/reauthenticate", &header, &token).json(&body).await;
    found.push(shown("reauthenticate", &reply));
    header = keep(&reply);
    token = reply.json()["csrfToken"].as_str().expect("a token").to_owned();
    let body = json!({ "currentPassword": person.password, "newPassword": new });
    let reply = send(Method::POST, "/password/change", &header, &token).json(&body).await;
    found.push(shown("password/change", &reply));
    header = keep(&reply);
    token = reply.json()["csrfToken"].as_str().expect("a token").to_owned();
    world.grant(&person, Role::parse("editor").expect("a role")).await;
    let reply = send(Method::GET, "/me", &header, &token).await;
    found.push(shown("me, after a change of roles", &reply));
    header = keep(&reply);
    let person = Person { password: new.into(), ..person };
    let reply = world.post("/login", person.credentials()).header("cookie", &header).await;
    found.push(shown("login, signed in", &reply));
    header = keep(&reply);
    token = reply.json()["csrfToken"].as_str().expect("a token").to_owned();
    found.push(shown("logout without the token", &send(Method::POST, "/logout", &header, "").await));
    found.push(shown("logout", &send(Method::POST, "/logout", &header, &token).await));
    found.push(shown("me, signed out", &send(Method::GET, "/me", &header, &token).await));
    found.push(shown("logout without a session", &world.call(Method::POST, "/logout").await));
    let reply = world.post("/login", person.credentials()).await;
    header = keep(&reply);
    token = reply.json()["csrfToken"].as_str().expect("a token").to_owned();
    found.push(shown("logout/all", &send(Method::POST, "/logout/all", &header, &token).await));
    let reply = world.post("/login", person.credentials()).await;
    header = keep(&reply);
    token = reply.json()["csrfToken"].as_str().expect("a token").to_owned();
    found.push(shown("delete", &send(Method::DELETE, "/me", &header, &token).await));
    found.join("\n")
}

/// CS1: every `Set-Cookie` of a browser's life: under our own names, and under names and for a domain of the host's.
pub async fn cs1_every_set_cookie(mount: &Mount) {
    assert_snapshot("set-cookies", &life(&World::new(mount).await).await);
    let named = |domain: Option<&'static str>, same_site| {
        World::with(mount, move |options| {
            options.profile.cookies.session = Some("sid".into());
            options.profile.cookies.csrf = Some("xsrf".into());
            options.profile.cookies.domain = domain.map(str::to_owned);
            options.profile.cookies.same_site = same_site;
            options.profile.session_max = Some(HOUR);
        })
    };
    assert_snapshot("set-cookies-named", &life(&named(None, SameSite::Lax).await).await);
    assert_snapshot("set-cookies-domain", &life(&named(Some("example.com"), SameSite::None).await).await);
}

/// CS1: a cookie never outlives its session: signing in again to prove who one is extends nothing.
pub async fn cs1_no_cookie_outlives_its_session(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let browser = world.sign_in(&person).await;
    world.clock().advance(6 * DAY + TICK);
    let again = world.post("/reauthenticate", json!({ "password": person.password })).by(&browser).await;
    for name in ["__Host-session", "__Host-csrf"] {
        let cookies = again.set_cookies();
        let cookie = cookies.iter().find(|cookie| cookie.starts_with(name)).expect("the cookie");
        assert!(cookie.ends_with("; Max-Age=86399"), "{cookie}");
    }
}

/// CS2: what a browser authenticates by cookie, and changes something, shows the token of that very session.
pub async fn cs2_a_token_is_its_sessions(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address.uses = 10_000).await;
    let (person, attacker) = (world.registered().await, world.registered().await);
    let last = world.sign_in(&person).await;
    world.post("/logout", json!({})).by(&last).await.expect(204);
    let (browser, evil) = (world.sign_in(&person).await, world.sign_in(&attacker).await);
    let cookies = browser.cookies();
    let own = cookies.csrf_token();
    let strangers = [evil.cookies().csrf_token(), last.cookies().csrf_token(), String::new(), own[..42].to_owned()];
    for route in world.routes().iter().filter(|route| !route.method.is_safe()) {
        let guarded = table::row(route.operation).who > table::Who::Anybody;
        for token in strangers.iter().map(Some).chain([None]) {
            let mut call = table::call(&world, route).with_cookies(cookies).header("origin", FRONTEND_URL);
            if let Some(token) = token {
                call = call.header("x-csrf-token", token);
            }
            let reply = call.await;
            // Signing out is open to everybody, and yet nobody else's page may do it.
            let is_sign_out = route.path.ends_with("/logout");
            assert_eq!(reply.is_problem("CSRF_FAILED"), guarded || is_sign_out, "{reply:?}");
        }
    }
    // Nor is it taken from where a page elsewhere could write it.
    let patch = || world.call(Method::PATCH, "/me").json(&json!({ "name": "Ann", "csrf_token": own }));
    patch().with_cookies(cookies).await.problem("CSRF_FAILED");
    let twice = patch().with_cookies(cookies).header("x-csrf-token", &own).and_header("x-csrf-token", &own);
    twice.await.problem("CSRF_FAILED");
    patch().with_cookies(&cookies.with("csrf", &evil.cookies().csrf_token())).await.problem("CSRF_FAILED");
    assert!(browser.is_live(&world).await);
    patch().by(&browser).await.expect(200);
    // Looking needs none.
    world.get("/me").with_cookies(cookies).await.expect(200);
}

/// CS2: a page that was opened with the session there already asks for the token, and gets the same again.
pub async fn cs2_a_page_asks_for_its_token(mount: &Mount) {
    let world = World::new(mount).await;
    let browser = world.sign_in(&world.registered().await).await;
    let reply = world.get("/csrf").with_cookies(browser.cookies()).await;
    let token = reply.expect(200)["csrfToken"].as_str().expect("a token").to_owned();
    assert_eq!(token, browser.cookies().csrf_token());
    assert_eq!(token, Cookies::default().after(&reply).csrf_token());
    world.get("/csrf").await.problem("UNAUTHORIZED");
}

/// CS7: a sibling host that plants a second cookie signs the browser out, and no more: never in as somebody else. Signing
/// in again clears the planted one.
pub async fn cs7_two_cookies_of_one_name_count_as_none(mount: &Mount) {
    let world = World::with(mount, |options| options.profile.cookies.session = Some("sid".into())).await;
    let (person, attacker) = (world.registered().await, world.registered().await);
    let secret = async |person: &Person| {
        let reply = world.post("/login", person.credentials()).await;
        let cookies = reply.set_cookies();
        let cookie = cookies.iter().find_map(|cookie| cookie.strip_prefix("sid=")).expect("the cookie");
        cookie.split_once(';').expect("attributes").0.to_owned()
    };
    let (own, planted) = (secret(&person).await, secret(&attacker).await);
    let me = |cookies: &str| world.get("/me").header("cookie", cookies);
    me(&format!("sid={own}")).await.expect(200);
    for (one, two) in [(&own, &planted), (&planted, &own), (&own, &own), (&own, &String::new())] {
        me(&format!("sid={one}; sid={two}")).await.problem("UNAUTHORIZED");
        me(&format!("sid={one}; other=1; sid={two}")).await.problem("UNAUTHORIZED");
        me(&format!("sid={one}")).and_header("cookie", &format!("sid={two}")).await.problem("UNAUTHORIZED");
    }
    let again = world.post("/login", person.credentials()).header("cookie", &format!("sid={own}; sid={planted}")).await;
    let cookies = again.set_cookies();
    let cleared = cookies.iter().filter(|cookie| cookie.starts_with("sid=;") && cookie.contains("Domain="));
    assert_eq!(cleared.count(), 2, "one for auth.example.com, one for example.com: {again:?}");
    assert!(cookies.last().is_some_and(|cookie| !cookie.starts_with("sid=;")), "what is set comes last: {again:?}");
}

/// SE1: 256 random bits, of which the store keeps a digest.
pub async fn se1_a_secret_is_kept_as_digest(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let (one, two) = (world.sign_in(&person).await, world.sign_in(&person).await);
    let user = world.user_id(&person).await;
    let sessions = world.store().sessions_of(user).await.expect("a store");
    for credentials in [&one, &two] {
        let secret = Secret::parse(credentials.secret()).expect("256 bits");
        let kept = sessions.iter().filter(|session| session.credential == Credential::Cookie(secret.digest()));
        assert_eq!(kept.count(), 1);
        assert!(!format!("{sessions:?}").contains(credentials.secret()));
    }
    assert_ne!(one.secret(), two.secret());
}

/// SE2: signing in, proving again who one is, a change of password and a change of roles each hand out a new secret, and
/// the one before is dead.
pub async fn se2_a_new_secret_at_each_step(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let first = world.sign_in(&person).await;
    let login = world.post("/login", person.credentials()).with_cookies(first.cookies());
    let second = Credentials::of(&login.await);
    first.assert_dead(&world).await;
    let proved = world.post("/reauthenticate", json!({ "password": person.password })).by(&second);
    let third = Credentials::of(&proved.await);
    second.assert_dead(&world).await;
    let body = json!({ "currentPassword": person.password, "newPassword": "a fine new password" });
    let fourth = Credentials::of(&world.post("/password/change", body).by(&third).await);
    third.assert_dead(&world).await;

    let editor = Role::parse("editor").expect("a role");
    world.grant(&person, editor).await;
    let reply = world.get("/me").by(&fourth).await;
    let fifth = Credentials::Browser(fourth.cookies().after(&reply));
    fourth.assert_dead(&world).await;
    assert_eq!(fifth.session_id(&world).await, reply.json()["session"]["id"], "the session goes on");
    assert_eq!(world.get("/me").by(&fifth).await.expect(200)["user"]["roles"], json!(["editor", "user"]));
    // Its CSRF token is as good as before.
    world.call(Method::PATCH, "/me").by(&fifth).json(&json!({ "name": "Ann" })).await.expect(200);
    let secrets = [&first, &second, &third, &fourth, &fifth].map(Credentials::secret);
    assert!(secrets.iter().enumerate().all(|(i, secret)| !secrets[..i].contains(secret)));
}

/// SE2: also a request that is refused hands over the new secret: its browser holds a dead one otherwise.
pub async fn se2_a_refusal_carries_the_new_secret(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let editor = Role::parse("editor").expect("a role");
    for call in ["/admin/users", "/sessions/01890a5d-ac96-774b-bcce-b302099a8057", "/sessions"] {
        let before = world.sign_in(&person).await;
        world.grant(&person, editor.clone()).await;
        let method = if call.starts_with("/sessions/") { Method::DELETE } else { Method::GET };
        let reply = world.call(method, call).by(&before).await;
        let after = Credentials::Browser(before.cookies().after(&reply));
        assert_ne!(before.secret(), after.secret(), "{reply:?}");
        assert!(after.is_live(&world).await);
        before.assert_dead(&world).await;
        world.revoke(&person, editor.clone()).await;
    }
}

/// SE3: a secret that the client made up is never taken over, and none is read anywhere but in its cookie.
pub async fn se3_an_unknown_secret_is_never_adopted(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let fixed = Cookies::default().with("session", &"A".repeat(43)).with("csrf", "x");
    let browser = Credentials::of(&world.post("/login", person.credentials()).with_cookies(&fixed).await);
    assert_ne!(browser.secret(), "A".repeat(43));
    for secret in ["A".repeat(43), "x".into(), String::new(), "é".into(), browser.session_id(&world).await] {
        world.get("/me").with_cookies(&fixed.with("session", &secret)).await.problem("UNAUTHORIZED");
    }
    let secret = browser.secret();
    world.get("/me").bearer(secret).await.problem("UNAUTHORIZED");
    world.get("/me").header("cookie", &format!("session={secret}")).await.problem("UNAUTHORIZED");
    for name in ["session", "__Host-session", "sid", "token"] {
        world.get(&format!("/me?{name}={secret}")).await.problem("UNAUTHORIZED");
    }
    world.get("/me").with_cookies(browser.cookies()).await.expect(200);
}

/// SE4: idle and absolute expiry are the server's; use extends the one and nothing the other.
pub async fn se4_a_browsers_session_expires(mount: &Mount) {
    let world = World::with(mount, |options| options.profile.session_max = Some(30 * DAY)).await;
    let person = world.registered().await;
    let (idle, used) = (world.sign_in(&person).await, world.sign_in(&person).await);
    for _ in 0..4 {
        world.clock().advance(7 * DAY - TICK);
        assert!(used.is_live(&world).await);
        world.noticed(&person).await;
    }
    assert!(!idle.is_live(&world).await);
    world.clock().advance(2 * DAY + TICK + TICK + TICK);
    assert!(used.is_live(&world).await);
    assert_eq!(listed(&world, &used).await.len(), 1);
    world.clock().advance(TICK);
    used.assert_dead(&world).await;

    // As the profile has it: seven days, however much it is used.
    let world = World::new(mount).await;
    let person = world.registered().await;
    let browser = world.sign_in(&person).await;
    for _ in 0..6 {
        world.clock().advance(DAY);
        assert!(browser.is_live(&world).await);
        world.noticed(&person).await;
    }
    world.clock().advance(DAY);
    browser.assert_dead(&world).await;
}

/// Signing out clears the cookies and is 204, with a session, without one, and with a dead one; a store that can't end the
/// session says so.
pub async fn rr5_signing_out_clears(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let browser = world.sign_in(&person).await;
    for calls in 0..2 {
        world.faults().arm(crate::Fault::Call(calls));
        world.post("/logout", json!({})).by(&browser).await.problem("UNAVAILABLE");
        world.faults().disarm();
    }
    assert!(browser.is_live(&world).await);
    for call in [
        world.post("/logout", json!({})).by(&browser),
        world.post("/logout", json!({})).by(&browser),
        world.post("/logout", json!({})).with_cookies(&Cookies::default().with("session", "made up")),
        world.call(Method::POST, "/logout"),
    ] {
        let reply = call.await;
        reply.expect(204);
        let left = browser.cookies().after(&reply);
        assert!(!left.has("session") && !left.has("csrf") && left.has("device"), "{reply:?}");
    }
    browser.assert_dead(&world).await;
}

/// A browser's life: register, prove the address, sign in, look, sign out.
pub async fn by_browser(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    let body = json!({ "email": person.email, "password": person.password, "name": "Ann" });
    let registered = world.post("/register", body).header("origin", PUBLIC_URL).await;
    assert_eq!(registered.expect(202), json!({}));
    world.post("/login", person.credentials()).await.problem("UNAUTHORIZED");
    world.verify(&person).await;
    let signed_in = world.post("/login", person.credentials()).header("origin", FRONTEND_URL).await;
    let body = signed_in.expect(200);
    let mut members: Vec<&str> = body.as_object().into_iter().flat_map(|o| o.keys().map(String::as_str)).collect();
    members.sort_unstable();
    assert_eq!(members, ["csrfToken", "user"]);
    assert_eq!((&body["user"]["name"], &body["user"]["emailVerified"]), (&json!("Ann"), &json!(true)));
    let browser = Credentials::of(&signed_in);
    let me = world.get("/me").by(&browser).await.expect(200);
    assert_eq!((&me["user"], &me["session"]["current"]), (&body["user"], &json!(true)));
    assert_eq!(me["session"]["expiresAt"], "2026-01-08T00:00:00.123457Z");
    world.post("/refresh", json!({ "refreshToken": "x" })).by(&browser).await.problem("NOT_FOUND");
    world.post("/logout", json!({})).by(&browser).await.expect(204);
    browser.assert_dead(&world).await;
}

/// A profile in which a browser shows no token: SameSite and the origin check stand guard.
pub async fn cs3_without_tokens_the_origin_decides(mount: &Mount) {
    let world = World::with(mount, |options| options.profile.csrf_token = false).await;
    let browser = world.sign_in(&world.registered().await).await;
    let patch = || world.call(Method::PATCH, "/me").with_cookies(browser.cookies()).json(&json!({ "name": "Ann" }));
    patch().await.expect(200);
    patch().header("origin", FRONTEND_URL).await.expect(200);
    patch().header("origin", "https://evil.example").await.problem("CSRF_FAILED");
    patch().header("sec-fetch-site", "cross-site").await.problem("CSRF_FAILED");
}
