//! Second factors, as clients and browsers see them.

use auth_core::domain::MailKind;
use http::Method;
use serde_json::{Value, json};

use super::{Call, Credentials, Mount, Person, Reply, World, table};
use crate::Authenticator;
use crate::given::MINUTE;

/// Somebody whose authenticator app is on, with it and the recovery codes.
async fn with_app(world: &World) -> (Person, Credentials, Authenticator, Vec<String>) {
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    let enrolled = world.post("/mfa/totp/enrol", json!({})).by(&credentials).await.expect(200);
    let app = Authenticator::typed(enrolled["secret"].as_str().expect("a secret"));
    let code = app.code(world.auth().now());
    let confirmed = world.post("/mfa/totp/confirm", json!({ "code": code })).by(&credentials).await.expect(200);
    // The code is spent.
    world.clock().advance(MINUTE);
    (person, credentials, app, texts(&confirmed["recoveryCodes"]))
}

/// Somebody whose second factor by mail is on.
async fn with_mail(world: &World) -> (Person, Credentials) {
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    assert_eq!(world.post("/mfa/email/enable", json!({})).by(&credentials).await.expect(202), json!({}));
    let code = world.code(&person, MailKind::SecondFactor).await;
    world.post("/mfa/email/confirm", json!({ "code": code })).by(&credentials).await.expect(200);
    (person, credentials)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|code| code.as_str().expect("a text").to_owned()).collect()
}

/// The challenge that a right password is answered with.
async fn challenged(world: &World, person: &Person) -> Value {
    let asked = world.post("/login", person.credentials()).from(&person.peer).await;
    assert!(asked.set_cookies().is_empty(), "{asked:?}");
    let asked = asked.expect(200);
    assert_eq!((&asked["mfaRequired"], &asked["expiresIn"]), (&json!(true), &json!(900)));
    assert!(asked["accessToken"].is_null() && asked["user"].is_null(), "{asked}");
    asked
}

fn second_step(world: &World, asked: &Value, code: &str) -> Call {
    world.post("/login/2fa", json!({ "challenge": asked["challenge"], "code": code }))
}

/// Switched on by its code, a factor is asked for at the next sign-in; its code lets in, and switched off it isn't asked for
/// any more. The first one comes with ten recovery codes.
pub async fn mf4_an_app_is_asked_for(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    let overview = async || world.get("/mfa").by(&credentials).await.expect(200);
    let nothing = json!({ "email": false, "totp": false, "recoveryCodesLeft": 0 });
    assert_eq!(overview().await, nothing);
    let enrolled = world.post("/mfa/totp/enrol", json!({})).by(&credentials).await.expect(200);
    let uri = enrolled["otpauthUri"].as_str().expect("an address");
    assert!(uri.starts_with("otpauth://totp/auth.example.com:"), "{uri}");
    let svg = enrolled["qrSvg"].as_str().expect("a picture");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>") && !svg.contains("script"), "{svg}");
    let app = Authenticator::scanned(uri);
    assert_eq!(
        app.code(world.auth().now()),
        Authenticator::typed(enrolled["secret"].as_str().unwrap()).code(world.auth().now())
    );
    // Inert until it is confirmed.
    assert_eq!(overview().await, nothing);
    world.sign_in(&person).await;
    let confirm = |code: &str| world.post("/mfa/totp/confirm", json!({ "code": code })).by(&credentials);
    confirm("12345").await.problem("TOKEN_INVALID");
    let codes = texts(&confirm(&app.code(world.auth().now())).await.expect(200)["recoveryCodes"]);
    assert_eq!((codes.len(), codes[0].len()), (10, 19));
    assert_eq!(overview().await, json!({ "email": false, "totp": true, "recoveryCodesLeft": 10 }));
    assert_eq!(world.get("/me").by(&credentials).await.expect(200)["user"]["mfaEnabled"], true);

    world.clock().advance(MINUTE);
    let asked = challenged(&world, &person).await;
    assert_eq!(asked["methods"], json!(["totp", "recovery"]));
    second_step(&world, &asked, "000000").await.problem("CODE_INVALID");
    let reply = second_step(&world, &asked, &app.code(world.auth().now())).await;
    let signed_in = Credentials::of(&reply);
    assert!(signed_in.is_live(&world).await);
    second_step(&world, &asked, &app.code(world.auth().now())).await.problem("UNAUTHORIZED");
    second_step(&world, &challenged(&world, &person).await, &codes[3].to_uppercase()).await.expect(200);
    assert_eq!(overview().await["recoveryCodesLeft"], 9);

    world.call(Method::DELETE, "/mfa/email").by(&signed_in).await.problem("NOT_FOUND");
    world.call(Method::DELETE, "/mfa/totp").by(&signed_in).await.expect(204);
    assert_eq!(overview().await, nothing);
    world.sign_in(&person).await;
    let told: Vec<MailKind> =
        world.inbox().await.mails_to(&person.address()).iter().map(|m| m.content.kind()).collect();
    assert_eq!(told.iter().filter(|kind| **kind == MailKind::Notice).count(), 3, "{told:?}");
}

/// A mailed code as second factor: switched on, asked for, sent again, refused, taken.
pub async fn mf4_a_mailed_code_is_asked_for(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, credentials) = with_mail(&world).await;
    let asked = challenged(&world, &person).await;
    assert_eq!(asked["methods"], json!(["email", "recovery"]));
    let first = world.code(&person, MailKind::SecondFactor).await;
    let resend = json!({ "challenge": asked["challenge"] });
    assert_eq!(world.post("/login/2fa/resend", resend).await.expect(202), json!({}));
    let code = world.code(&person, MailKind::SecondFactor).await;
    if first != code {
        second_step(&world, &asked, &first).await.problem("CODE_INVALID");
    }
    Credentials::of(&second_step(&world, &asked, &code).await);
    world.post("/login/2fa/resend", json!({ "challenge": asked["challenge"] })).await.problem("UNAUTHORIZED");
    world.post("/login/2fa/resend", json!({})).await.problem("UNAUTHORIZED");
    let renewed = world.post("/mfa/recovery-codes", json!({})).by(&credentials).await.expect(200);
    assert_eq!(texts(&renewed["recoveryCodes"]).len(), 10);
    // A second factor beside it brings no more codes, and both are offered.
    let enrolled = world.post("/mfa/totp/enrol", json!({})).by(&credentials).await.expect(200);
    let app = Authenticator::typed(enrolled["secret"].as_str().unwrap());
    let confirm = json!({ "code": app.code(world.auth().now()) });
    assert_eq!(world.post("/mfa/totp/confirm", confirm).by(&credentials).await.expect(200), json!({}));
    assert_eq!(challenged(&world, &person).await["methods"], json!(["totp", "email", "recovery"]));
}

/// MF4: a challenge takes five attempts; of what is wrong with it nothing is told but that.
pub async fn mf4_a_challenge_dies_of_five_attempts(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, _, app, codes) = with_app(&world).await;
    let asked = challenged(&world, &person).await;
    for _ in 0..5 {
        second_step(&world, &asked, "0000-0000-0000-0000").await.problem("CODE_INVALID");
    }
    second_step(&world, &asked, &app.code(world.auth().now())).await.problem("UNAUTHORIZED");
    for challenge in [json!("AAAA"), json!(null), json!("A".repeat(43)), asked["challenge"].clone()] {
        let body = json!({ "challenge": challenge, "code": codes[0] });
        let reply = world.post("/login/2fa", body).await;
        reply.problem("UNAUTHORIZED");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
    second_step(&world, &challenged(&world, &person).await, &app.code(world.auth().now())).await.expect(200);
}

/// MF3: failures are counted by account, over challenges and addresses: twenty an hour.
pub async fn mf3_twenty_failures_an_hour(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, _, app, _) = with_app(&world).await;
    for round in 0..10 {
        let asked = challenged(&world, &person).await;
        for guess in 0..2 {
            let peer = format!("198.51.100.{}", round * 2 + guess + 1);
            second_step(&world, &asked, "0000-0000-0000-0000").from(&peer).await.problem("CODE_INVALID");
        }
    }
    let asked = challenged(&world, &person).await;
    let right = second_step(&world, &asked, &app.code(world.auth().now())).from("198.51.100.99").await;
    right.problem("RATE_LIMITED");
    assert!(right.header("retry-after").is_some());
}

/// MF4: a challenge is no credential: on every route it is as good as nothing, in whatever field it stands.
pub async fn mf4_a_challenge_grants_nothing_else(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address.uses = 100_000).await;
    let (person, ..) = with_app(&world).await;
    let asked = challenged(&world, &person).await;
    let challenge = asked["challenge"].as_str().expect("a challenge");
    for route in world.routes() {
        let row = table::row(route.operation);
        if row.who > table::Who::Guest {
            let carried = [
                table::call(&world, route).bearer(challenge),
                table::call(&world, route)
                    .header("cookie", &format!("__Host-session={challenge}; session={challenge}")),
            ];
            for call in carried {
                call.await.problem("UNAUTHORIZED");
            }
        }
        // Its own door apart.
        if route.path.contains("/login/2fa") {
            continue;
        }
        for fields in row.bodies {
            for (name, _) in fields.iter().filter(|(name, _)| matches!(*name, "token" | "refreshToken" | "code")) {
                let mut body = table::object(fields);
                body[*name] = json!(challenge);
                let reply = table::bare_call(&world, route).json(&body).await;
                assert!(!(200..300).contains(&reply.status) || route.path.ends_with("/logout"), "{reply:?}");
            }
        }
    }
    second_step(&world, &asked, "0000-0000-0000-0000").await.problem("CODE_INVALID");
}

/// MF6: no way round a factor that is on: a reset, a link that proves the address, a mailed code beside a mailed reset, a
/// refresh; each leads to the second step or to no session.
pub async fn mf6_no_way_round(mount: &Mount) {
    let world = World::new(mount).await;
    let (person, before, app, codes) = with_app(&world).await;
    let changed = Person { password: "another horse, another battery".into(), ..person.clone() };
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let reset = json!({ "token": world.link(&person, MailKind::Reset).await, "password": changed.password });
    let reply = world.post("/password/reset/confirm", reset).await;
    assert!(reply.set_cookies().is_empty());
    reply.expect(204);
    before.assert_dead(&world).await;
    world.post("/verify/request", json!({ "email": person.email })).await.expect(202);
    // With the device token of an earlier sign-in.
    let mut body = changed.credentials();
    body["deviceToken"] = json!(before.device());
    let asked = world.post("/login", body).await.expect(200);
    assert_eq!((&asked["mfaRequired"], &asked["methods"]), (&json!(true), &json!(["totp", "recovery"])));
    // What can be mailed: nothing that counts.
    world.post("/login/2fa/resend", json!({ "challenge": asked["challenge"] })).await.expect(202);
    let mails = world.inbox().await.mails_to(&person.address());
    assert!(mails.iter().all(|mail| mail.content.kind() != MailKind::SecondFactor));
    let by_mail = json!({ "challenge": asked["challenge"], "code": "000000", "method": "email" });
    world.post("/login/2fa", by_mail).await.problem("CODE_INVALID");
    let signed_in = Credentials::of(&second_step(&world, &asked, &codes[0]).await);
    // Nor is a session enough to switch it off once it is stale, by mail.
    world.clock().advance(10 * MINUTE);
    let switch_off = || world.call(Method::DELETE, "/mfa/totp").by(&signed_in);
    switch_off().await.problem("REAUTHENTICATION_REQUIRED");
    world.post("/reauthenticate/request", json!({})).by(&signed_in).await.expect(202);
    let mails = world.inbox().await.mails_to(&person.address());
    assert!(mails.iter().all(|mail| mail.content.kind() != MailKind::Reauthenticate));
    let code = json!({ "code": app.code(world.auth().now()) });
    let fresh = Credentials::of(&world.post("/reauthenticate", code).by(&signed_in).await);
    world.call(Method::DELETE, "/mfa/totp").by(&fresh).await.expect(204);
}

/// MF7: everything about factors wants a session that is fresh.
pub async fn mf7_factors_want_a_fresh_session(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let credentials = world.sign_in(&person).await;
    world.clock().advance(10 * MINUTE);
    let routes = world.routes().iter().filter(|route| table::row(route.operation).who == table::Who::Fresh);
    let mut stale = 0;
    for route in routes {
        table::call(&world, route).by(&credentials).await.problem("REAUTHENTICATION_REQUIRED");
        stale += 1;
    }
    assert!(stale >= 10, "{stale} routes");
    // A mailed code makes it fresh, where there is no app.
    world.post("/reauthenticate/request", json!({})).by(&credentials).await.expect(202);
    let code = world.code(&person, MailKind::Reauthenticate).await;
    let prove = |code: &str| world.post("/reauthenticate", json!({ "code": code })).by(&credentials);
    prove("0000-0000-0000-0000").await.problem("UNAUTHORIZED");
    let fresh = Credentials::of(&prove(&code).await);
    credentials.assert_dead(&world).await;
    world.post("/mfa/totp/enrol", json!({})).by(&fresh).await.expect(200);
}

/// The owner is told of a sign-in from a new device, and ends it by the link or on its page.
pub async fn a_new_device_is_told_of(mount: &Mount) {
    let world = World::with(mount, |options| options.core.frontend_url = options.core.public_url.clone()).await;
    for by_page in [false, true] {
        let person = world.verified().await;
        let owner = world.sign_in(&person).await;
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
        let stranger = world.post("/login", person.credentials()).header("user-agent", agent).await;
        let stranger = Credentials::of(&stranger);
        let token = world.link(&person, MailKind::NewDevice).await;
        let told = world.inbox().await.last(&person.address(), MailKind::NewDevice).content;
        assert!(matches!(told, auth_core::domain::Content::NewDevice { device, .. } if device == "Firefox on Linux"));
        let report = |token: &str| world.post("/sessions/report", json!({ "token": token }));
        if by_page {
            let page: Reply = world.at(Method::GET, &format!("/report-session?token={token}")).await;
            assert!(page.status == 200 && stranger.is_live(&world).await, "opening it spends nothing");
            let form = format!("token={token}");
            let sent = world.at(Method::POST, "/report-session").raw("application/x-www-form-urlencoded", form);
            assert_eq!(sent.header("origin", super::world::PUBLIC_URL).await.status, 200);
        } else {
            report(&token).await.expect(204);
        }
        stranger.assert_dead(&world).await;
        assert!(owner.is_live(&world).await);
        report(&token).await.problem("TOKEN_INVALID");
        world.link(&person, MailKind::Reset).await;
    }
}
