//! From registering to signing out, as a client lives it.

use auth_core::domain::MailKind;
use http::Method;
use serde_json::{Value, json};

use super::{Mount, Person, Tokens, World};

/// Register, prove the address by code, sign in, look, refresh, sign out.
pub async fn by_code(mount: &Mount) {
    let world = World::new(mount).await;
    let person = Person::new();
    let body = json!({ "email": person.email, "password": person.password, "name": "Ann", "locale": "en" });

    let user = world.post("/register", body).await.expect(201)["user"].take();
    assert_eq!(keys(&user), USER);
    assert_eq!((&user["email"], &user["name"]), (&json!(person.email), &json!("Ann")));
    assert_eq!((&user["status"], &user["roles"]), (&json!("active"), &json!(["user"])));
    assert_eq!((&user["emailVerified"], &user["mfaEnabled"]), (&json!(false), &json!(false)));
    assert_eq!(user["createdAt"], "2026-01-01T00:00:00.123457Z");

    let code = world.code(&person, MailKind::Verify).await;
    let verified = world.post("/verify/confirm", json!({ "email": person.email, "code": code })).await.expect(200);
    assert_eq!(verified["user"]["emailVerified"], true);

    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let signed_in = world.post("/login", person.credentials()).header("user-agent", agent).await.expect(200);
    assert_eq!(keys(&signed_in), ["accessToken", "deviceToken", "expiresIn", "refreshToken", "tokenType", "user"]);
    assert_eq!(signed_in["expiresIn"], 900);
    let credentials = Tokens::of(&signed_in);

    let me = world.get("/me").bearer(&credentials.access).await.expect(200);
    assert_eq!(
        (keys(&me), keys(&me["session"])),
        (vec!["session".to_owned(), "user".to_owned()], SESSION.map(str::to_owned).to_vec())
    );
    assert_eq!(me["user"]["id"], user["id"]);
    assert_eq!((&me["session"]["current"], &me["session"]["device"]), (&json!(true), &json!("Firefox on Linux")));
    assert_eq!((&me["session"]["ip"], &me["session"]["userAgent"]), (&json!("192.0.2.1"), &json!(agent)));
    assert_eq!(me["session"]["expiresAt"], "2026-01-08T00:00:00.123457Z");

    let refreshed = Tokens::of(&credentials.refresh(&world).await.expect(200));
    assert!(refreshed.is_live(&world).await);
    assert_ne!(refreshed.refresh, credentials.refresh);

    let sign_out = world.call(Method::POST, "/logout").bearer(&refreshed.access).await;
    assert_eq!((sign_out.expect(204), sign_out.body.len()), (Value::Null, 0));
    assert!(!refreshed.is_live(&world).await && !credentials.is_live(&world).await);
    refreshed.refresh(&world).await.problem("UNAUTHORIZED");
}

/// Register, prove the address by link, forget the password, set another by link.
pub async fn by_link(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.verified().await;
    let other = Person { password: "another horse, another battery".into(), ..person.clone() };

    assert_eq!(world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202), json!({}));
    let token = world.link(&person, MailKind::Reset).await;
    world.post("/password/reset/confirm", json!({ "token": token, "password": other.password })).await.expect(204);

    world.post("/login", person.credentials()).await.problem("UNAUTHORIZED");
    assert!(world.sign_in(&other).await.is_live(&world).await);
}

/// A profile's fields are set, kept, and cleared; wrong ones are named together.
pub async fn profile_is_edited(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.sign_in(&person).await;
    let patch = |body: Value| world.call(Method::PATCH, "/me").by(&credentials).json(&body);

    let edited = patch(json!({ "name": " Zoë ", "phoneNumber": "+49 30 123456", "unknown": 7 })).await.expect(200);
    assert_eq!((&edited["user"]["name"], &edited["user"]["phoneNumber"]), (&json!("Zoë"), &json!("+4930123456")));
    let edited = patch(json!({ "phoneNumber": null, "imageUrl": "https://example.com/z.png" })).await.expect(200);
    assert_eq!((&edited["user"]["name"], &edited["user"]["phoneNumber"]), (&json!("Zoë"), &Value::Null));
    assert_eq!(world.get("/me").by(&credentials).await.expect(200)["user"], edited["user"]);

    let refused = patch(json!({ "name": "", "imageUrl": "javascript:alert(1)", "locale": 7 })).await;
    let problem = refused.problem("VALIDATION_FAILED");
    let fields: Vec<&str> =
        problem["errors"].as_array().into_iter().flatten().filter_map(|e| e["field"].as_str()).collect();
    assert_eq!(fields, ["name", "imageUrl", "locale"]);
    assert_eq!(world.get("/me").by(&credentials).await.expect(200)["user"], edited["user"]);
}

const USER: [&str; 11] = [
    "createdAt",
    "email",
    "emailVerified",
    "id",
    "imageUrl",
    "locale",
    "mfaEnabled",
    "name",
    "phoneNumber",
    "roles",
    "status",
];
const SESSION: [&str; 8] = ["createdAt", "current", "device", "expiresAt", "id", "ip", "lastSeenAt", "userAgent"];

fn keys(object: &Value) -> Vec<String> {
    let mut keys: Vec<String> = object.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect();
    keys.sort_unstable();
    keys
}
