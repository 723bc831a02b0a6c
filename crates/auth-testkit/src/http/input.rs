//! What is read in one way only.

use auth_core::domain::Email;
use serde_json::{Value, json};

use super::{Mount, Person, World, table};

/// IN1: an address is made canonical before it is judged: the full-width at sign is one, the dotless i is none.
pub async fn in1_addresses_are_canonicalised(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.register_address.uses = 1000).await;
    let unique = Person::new().email.replace('@', "-").replace(".com", "");
    let register =
        |email: String| world.post("/register", json!({ "email": email, "password": Person::new().password }));
    register(format!("mike-{unique}@bücher.example")).await.expect(201);
    register(format!("MIKE-{unique}＠XN--BCHER-KVA.example")).await.problem("CONFLICT");
    let other = register(format!("mıke-{unique}@bücher.example")).await.expect(201);
    assert!(other["user"]["email"].as_str().is_some_and(|email| Email::parse(email).is_ok()));
    for email in [
        "a@b@example.com",
        "Ann <a@example.com>",
        "a@example.com,b@example.com",
        "\"a\"@example.com",
        "a@localhost",
        "a@example.com\r\nBcc: b@example.com",
        "a@[127.0.0.1]",
        "a\u{202e}b@example.com",
        "",
    ] {
        let problem = register(email.to_owned()).await.problem("VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["field"], "email");
    }
    assert!(world.inbox().await.mails().iter().all(|mail| mail.to.as_str().ends_with("xn--bcher-kva.example")));
}

/// IN2: NUL, invalid UTF-8 and lone surrogates are the same 400 on every store, in every field of every operation.
pub async fn in2_what_stores_read_differently_is_refused(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address.uses = 10_000).await;
    let credentials = world.sign_in(&world.verified().await).await;
    let texts: [&[u8]; 5] = [br"a\u0000b", b"a\xffb", br"\ud800", br"\udc00\ud800", b"a\x00b"];
    for route in world.routes() {
        for (fields, name) in table::row(route.operation)
            .bodies
            .iter()
            .flat_map(|fields| fields.iter().map(move |(name, _)| (fields, *name)))
        {
            for text in texts {
                let mut body = table::object(fields);
                body[name] = Value::from("HERE");
                let body = body.to_string();
                let (before, after) = body.split_once("HERE").expect("the field");
                let body = [before.as_bytes(), text, after.as_bytes()].concat();
                let call = table::bare_call(&world, route).by(&credentials).raw("application/json", body);
                let reply = call.await;
                reply.problem("VALIDATION_FAILED");
                assert_eq!(reply.status, 400);
            }
        }
    }
    let person = Person::new();
    let twice = format!(r#"{{"email":"{0}","email":"x{0}","password":"{1}"}}"#, person.email, person.password);
    world.call(http::Method::POST, "/register").raw("application/json", twice).await.problem("VALIDATION_FAILED");
}

/// IN3: depth and size are bounded, and cheap to find out.
pub async fn in3_deep_and_large_bodies_are_refused(mount: &Mount) {
    let world = World::new(mount).await;
    for open in ["[", "{\"a\":", "{\"a\":["] {
        let deep = format!("{{\"email\":{}", open.repeat(60_000 / open.len()));
        world.call(http::Method::POST, "/login").raw("application/json", deep).await.problem("VALIDATION_FAILED");
    }
    let large = json!({ "email": "a@example.com", "password": "x".repeat(1 << 20) });
    world.post("/login", large).await.problem("PAYLOAD_TOO_LARGE");
    assert_eq!(world.hasher().take(), 0);
}
