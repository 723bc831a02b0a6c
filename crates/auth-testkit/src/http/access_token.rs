//! Access tokens at the door.

use auth_core::domain::MailKind;
use http::Method;
use serde_json::json;

use super::{Mount, Tokens, World};
use crate::given::{self, MINUTE};

/// JW4: nothing but an access token opens anything, and only while it lives.
pub async fn jw4_only_access_tokens_open_anything(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.tokens(&person).await;
    let session = credentials.session_id(&world).await;
    let link = world.link(&person, MailKind::Verify).await;
    let mut forged = credentials.access.clone();
    forged.pop();
    let unsigned = credentials.access.rsplit_once('.').map(|(signed, _)| format!("{signed}.")).unwrap_or_default();
    for other in [&credentials.refresh, &credentials.device, &session, &link, &person.password, &forged, &unsigned] {
        world.get("/me").bearer(other).await.problem("UNAUTHORIZED");
    }

    let second = given::TICK * 1_000_000;
    world.clock().advance(15 * MINUTE - second);
    assert!(credentials.is_live(&world).await);
    world.clock().advance(second);
    assert!(!credentials.is_live(&world).await);

    let jwks = world.at(Method::GET, "/.well-known/jwks.json").await.expect(200);
    let key = &jwks["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["d"]), (&json!("OKP"), &json!("Ed25519"), &json!(null)));
}

/// The scheme's case doesn't matter; two headers, another scheme, or a cookie are no credential.
pub async fn jw4_bearer_is_read_strictly(mount: &Mount) {
    let world = World::new(mount).await;
    let Tokens { access, .. } = world.tokens(&world.registered().await).await;
    world.get("/me").header("authorization", &format!("bEaReR {access}")).await.expect(200);
    for value in [access.clone(), format!("Basic {access}"), format!("Bearer {access} x"), "Bearer".into()] {
        world.get("/me").header("authorization", &value).await.problem("UNAUTHORIZED");
    }
    let twice = world.get("/me").bearer(&access).and_header("authorization", &format!("Bearer {access}"));
    twice.await.problem("UNAUTHORIZED");
    world.get("/me").header("cookie", &format!("access_token={access}")).await.problem("UNAUTHORIZED");
    world.get(&format!("/me?access_token={access}")).await.problem("UNAUTHORIZED");
}
