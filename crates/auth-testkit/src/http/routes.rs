//! What holds for every route.

use auth_core::domain::{MailKind, Status};
use auth_http::Operation;
use serde_json::{Value, json};

use super::snapshot::assert_snapshot;
use super::table::Who;
use super::world::limit;
use super::{Credentials, Mount, World, table};
use crate::given::MINUTE;

/// Every route of the table is expected, and answers as one: not with 404, 405 or 500.
pub async fn every_route_is_in_the_table(mount: &Mount) {
    let world = World::new(mount).await;
    for route in world.routes() {
        let reply = table::call(&world, route).await;
        assert!(!matches!(reply.status, 404 | 405 | 500..), "{reply:?}");
    }
}

/// LT4: whatever checks a credential is throttled; in fact every operation is, per address.
pub async fn lt4_every_operation_is_throttled(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address = limit(20, 60)).await;
    for (i, route) in world.routes().iter().enumerate() {
        let (peer, other) = (format!("198.51.100.{}", i + 1), format!("203.0.113.{}", i + 1));
        for _ in 0..20 {
            let reply = table::call(&world, route).from(&peer).await;
            assert!(
                reply.status != 429 || reply.header("ratelimit-policy") != Some("\"default\";q=20;w=60"),
                "{reply:?}"
            );
        }
        let refused = table::call(&world, route).from(&peer).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")), "{refused:?}");
        assert_eq!(refused.header("ratelimit"), Some("\"default\";r=0;t=60"));
        assert_eq!(refused.header("ratelimit-policy"), Some("\"default\";q=20;w=60"));
        let elsewhere = table::call(&world, route).from(&other).await;
        assert_ne!(elsewhere.header("ratelimit-policy"), refused.header("ratelimit-policy"), "one address, not all");
    }
}

/// RB1: what is guarded answers nobody without a live credential; the rest of the table is open on purpose.
pub async fn rb1_guarded_operations_want_a_credential(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let dead = world.sign_in(&person).await;
    world.post("/logout", json!({})).by(&dead).await.expect(204);
    for route in world.routes() {
        let is_guarded = table::row(route.operation).who > Who::Guest;
        for call in [table::call(&world, route), table::call(&world, route).by(&dead)] {
            let reply = call.from(&person.peer).await;
            if is_guarded {
                reply.problem("UNAUTHORIZED");
                assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
            }
        }
    }
}

/// LT4: each operation that tells a right credential from a wrong one stops telling, whoever asks however often.
pub async fn lt4_every_check_of_a_credential_is_throttled(mount: &Mount) {
    let world = World::with(mount, |options| options.core.limits.request_address.uses = 100_000).await;
    for route in world.routes().iter().filter(|route| table::row(route.operation).checks_a_credential) {
        let person = world.verified().await;
        let credentials = world.sign_in(&person).await;
        let mut body =
            table::row(route.operation).bodies.last().map(|fields| table::object(fields)).unwrap_or_default();
        if body.get("email").is_some() {
            body["email"] = json!(person.email);
        }
        // Only what is a token of ours is anybody's.
        if let (Credentials::Tokens(tokens), Some(_)) = (&credentials, body.get("refreshToken")) {
            tokens.refresh(&world).await.expect(200);
            world.clock().advance(MINUTE);
            body["refreshToken"] = json!(tokens.refresh);
        }
        if body.get("password").is_some() {
            body["password"] = json!("not the password");
        }
        let mut last = None;
        for _ in 0..=100 {
            let reply = table::bare_call(&world, route).by(&credentials).json(&body).from(&person.peer).await;
            assert!(matches!(reply.status, 400 | 401 | 429), "{reply:?}");
            let is_throttled = reply.status == 429;
            last = Some(reply);
            if is_throttled {
                break;
            }
        }
        let last = last.expect("a reply");
        last.problem("RATE_LIMITED");
        assert!(last.header("retry-after").is_some(), "{last:?}");
    }
}

/// RB1: every route against everybody: nobody, a user, an administrator, somebody suspended, and a user who asks about what
/// is another's. A route without a row in the table fails.
pub async fn rb1_routes_by_role(mount: &Mount) {
    let world = World::with(mount, |options| {
        options.core.limits.request_address.uses = 100_000;
        options.core.limits.register_address.uses = 100_000;
    })
    .await;
    // There is always another administrator: nobody here is the last.
    world.admin().await;
    let mut matrix = Vec::new();
    for route in world.routes() {
        let row = table::row(route.operation);
        let mut found = Vec::new();
        for who in ["nobody", "user", "admin", "suspended", "foreign"] {
            let person = if who == "admin" { world.admin().await } else { world.verified().await };
            let other = world.verified().await;
            let credentials = world.sign_in(&person).await;
            let is_session = route.path.ends_with("/sessions/{id}");
            let id = match (is_session, who) {
                (true, "foreign") => world.sign_in(&other).await.session_id(&world).await,
                (true, _) => credentials.session_id(&world).await,
                (false, _) => world.user_id(&other).await.to_string(),
            };
            if who == "suspended" {
                world.set_status(&person, Status::Suspended).await;
            }
            let mut call = table::call_about(&world, route, &id).from(&person.peer);
            if who != "nobody" {
                call = call.by(&credentials);
            }
            if let Some(mut body) = row.body() {
                for field in ["password", "currentPassword"] {
                    if row.who > Who::Guest && body.get(field).is_some() {
                        body[field] = json!(person.password);
                    }
                }
                call = call.json(&body);
            }
            let reply = call.await;
            let expected = match (row.who, who) {
                (Who::Anybody, _) | (Who::Guest, "nobody" | "suspended") => None,
                (Who::Guest, _) => Some(403),
                (_, "nobody" | "suspended") => Some(401),
                (Who::Admin, "user" | "foreign") => Some(403),
                (_, "foreign") if is_session => Some(404),
                // What the profile demands stays.
                _ if route.operation == Operation::DropEmailFactor && world.profile().second_factor.is_some() => {
                    Some(403)
                }
                _ => Some(row.status),
            };
            match expected {
                Some(status) => assert_eq!(reply.status, status, "{who}: {reply:?}"),
                // What is for everybody says what it thinks of the body, and never that somebody may not.
                None => assert!(!matches!(reply.status, 403 | 500..), "{who}: {reply:?}"),
            }
            found.push(format!("{who} {}", reply.status));
        }
        matrix.push(format!("{} {}: {}", route.method, route.path, found.join(", ")));
    }
    assert_snapshot(&format!("matrix-{}", world.profile().name), &matrix.join("\n"));
}

/// VT5: a token of any kind, put into any field of any operation that isn't its own, does nothing and is not spent.
pub async fn vt5_no_token_opens_another_door(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.tokens(&person).await;
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let verify = world.link(&person, MailKind::Verify).await;
    let reset = world.link(&person, MailKind::Reset).await;
    let (verify_code, reset_code) =
        (world.code(&person, MailKind::Verify).await, world.code(&person, MailKind::Reset).await);
    assert_ne!(verify_code, reset_code, "one in a million: run it again");

    let new = "a password nobody set yet";
    let wrong: [(&str, Value); 10] = [
        ("/verify/confirm", json!({ "token": reset })),
        ("/verify/confirm", json!({ "token": credentials.refresh })),
        ("/verify/confirm", json!({ "token": verify_code })),
        ("/verify/confirm", json!({ "email": person.email, "code": reset_code })),
        ("/password/reset/confirm", json!({ "token": verify, "password": new })),
        ("/password/reset/confirm", json!({ "token": credentials.access, "password": new })),
        ("/password/reset/confirm", json!({ "email": person.email, "code": verify_code, "password": new })),
        ("/refresh", json!({ "refreshToken": credentials.access })),
        ("/refresh", json!({ "refreshToken": reset })),
        ("/refresh", json!({ "refreshToken": credentials.device })),
    ];
    for (path, body) in wrong {
        let reply = world.post(path, body).from("203.0.113.9").await;
        assert!(reply.is_problem("TOKEN_INVALID") || reply.is_problem("UNAUTHORIZED"), "{reply:?}");
    }
    for door in [&verify, &reset, &credentials.refresh, &credentials.device, &verify_code] {
        world.get("/me").bearer(door).await.problem("UNAUTHORIZED");
    }

    world.post("/verify/confirm", json!({ "token": verify })).await.expect(200);
    assert!(credentials.is_live(&world).await);
    credentials.refresh(&world).await.expect(200);
    world.post("/password/reset/confirm", json!({ "token": reset, "password": new })).await.expect(204);
}
