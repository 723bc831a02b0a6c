//! What a request costs the store.

use auth_core::domain::MailKind;
use http::Method;
use serde_json::json;

use super::{Cookies, Mount, Person, World};
use crate::Call::{
    AuditEvents, Claim, Commit, FindSession, FindToken, FindUser, FindUserByEmail, Finish, SessionsOf, TokensOf,
};

/// A guard costs one query: session, user, roles and epoch in one read; and none where a cache has a copy.
pub async fn an_authenticated_request_is_one_query(mount: &Mount) {
    let world = World::new(mount).await;
    let credentials = world.sign_in(&world.registered().await).await;
    world.counting().take();
    world.get("/me").by(&credentials).await.expect(200);
    assert_eq!(world.counting().take(), [FindSession]);
    // A cache has to have seen a browser's secret once, to know whose it is.
    world.get("/me").by(&credentials).await.expect(200);
    world.counting().take();
    for _ in 0..3 {
        world.get("/me").by(&credentials).await.expect(200);
        let cost: &[_] = if mount.cache.is_some() { &[] } else { &[FindSession] };
        assert_eq!(world.counting().take(), cost);
    }
    // What changes something is decided by what the store says.
    world.call(Method::PATCH, "/me").by(&credentials).json(&json!({ "name": "Ann" })).await.expect(200);
    assert_eq!(world.counting().take(), [FindSession, Commit]);
    world.get("/me").bearer("not a token").await.problem("UNAUTHORIZED");
    world.get("/me").with_cookies(&Cookies::default().with("session", "no secret")).await.problem("UNAUTHORIZED");
    assert_eq!(world.counting().take(), []);
}

/// Every other operation asks no more than it must: its reads, then one commit.
pub async fn flows_have_a_budget(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    let costs = async |call: super::Call| {
        world.counting().take();
        let reply = call.await;
        assert!(reply.status < 300, "{reply:?}");
        (world.counting().take(), reply.json())
    };
    assert_eq!(costs(world.post("/register", person.credentials())).await.0, [FindUserByEmail, Commit]);
    let keyed = world.post("/register", Person::new().credentials()).header("idempotency-key", "k");
    assert_eq!(costs(keyed).await.0, [Claim, FindUserByEmail, Commit, Finish]);
    let link = world.link(&person, MailKind::Verify).await;
    assert_eq!(costs(world.post("/verify/confirm", json!({ "token": link }))).await.0, [FindToken, Commit]);
    let (cost, reply) = costs(world.post("/login", person.credentials())).await;
    // Of a device that isn't known it is asked whether it is the account's first.
    assert_eq!(cost, [FindUserByEmail, AuditEvents, Commit]);
    let mut known = person.credentials();
    known["deviceToken"] = reply["deviceToken"].clone();
    assert_eq!(costs(world.post("/login", known)).await.0, [FindUserByEmail, Commit]);
    let access = reply["accessToken"].as_str().expect("a token").to_owned();
    let refresh = json!({ "refreshToken": reply["refreshToken"] });
    assert_eq!(costs(world.post("/refresh", refresh)).await.0, [FindSession, Commit]);
    assert_eq!(costs(world.get("/sessions").bearer(&access)).await.0, [FindSession, SessionsOf]);
    let patch = world.call(Method::PATCH, "/me").bearer(&access).json(&json!({ "name": "Ann" }));
    assert_eq!(costs(patch).await.0, [FindSession, Commit]);
    let body = json!({ "currentPassword": person.password, "newPassword": "a fine new password" });
    let (cost, reply) = costs(world.post("/password/change", body).bearer(&access)).await;
    assert_eq!(cost, [FindSession, FindUser, Commit]);
    let access = reply["accessToken"].as_str().expect("a token").to_owned();
    let ask = world.post("/password/reset/request", json!({ "email": person.email }));
    assert_eq!(costs(ask).await.0, [FindUserByEmail, TokensOf, Commit]);
    let link = world.link(&person, MailKind::Reset).await;
    assert_eq!(costs(world.post("/logout", json!({})).bearer(&access)).await.0, [FindSession, Commit]);
    let body = json!({ "token": link, "password": "another new password" });
    assert_eq!(costs(world.post("/password/reset/confirm", body)).await.0, [FindToken, Commit]);
}
