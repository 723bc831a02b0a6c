//! What holds for every route.

use auth_core::domain::MailKind;
use serde_json::{Value, json};

use super::table::Who;
use super::world::limit;
use super::{Mount, World, table};

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
        let is_guarded = table::row(route.operation).who > Who::Anybody;
        for call in [table::call(&world, route), table::call(&world, route).by(&dead)] {
            let reply = call.from(&person.peer).await;
            if is_guarded {
                reply.problem("UNAUTHORIZED");
                assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
            }
        }
    }
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
