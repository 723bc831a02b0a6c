//! Whatever goes wrong is a problem, and says nothing of how the server works.

use std::time::Duration;

use auth_core::settings::UnverifiedSignIn;
use http::Method;
use serde_json::{Value, json};

use super::snapshot::assert_snapshot;
use super::{Behaviour, Credentials, Mount, Person, Reply, World};
use crate::Fault;

/// ER1: each kind of problem, word for word.
pub async fn er1_every_problem_is_as_documented(mount: &Mount) {
    let world = World::with(mount, |options| options.core.unverified_sign_in = UnverifiedSignIn::Refuse).await;
    let person = world.registered().await;
    let long = format!("\"{}\"", "x".repeat(64 * 1024));
    let keyed = |body: Value| world.post("/register", body).header("idempotency-key", "k");
    let other = Person::new();
    keyed(other.credentials()).await.expect(201);
    for _ in 0..10 {
        world.post("/login", json!({ "email": other.email, "password": "wrong" })).await.problem("UNAUTHORIZED");
    }
    let replies = [
        world.call(Method::POST, "/login").raw("application/json", "{").await,
        world.post("/register", json!({ "email": "nobody", "password": ["x"], "name": "", "locale": "?" })).await,
        world.post("/register", json!({ "email": "a@example.com", "password": "password" })).await,
        world.post("/verify/confirm", json!({ "token": "unknown" })).await,
        world.get("/me").await,
        world.post("/login", person.credentials()).header("origin", "https://evil.example").await,
        world.post("/login", person.credentials()).await,
        world.get("/nothing").await,
        world.get("/login").await,
        world.post("/register", person.credentials()).from(&person.peer).await,
        world.call(Method::POST, "/login").raw("application/json", long).await,
        world.call(Method::POST, "/login").raw("text/plain", "{}").await,
        keyed(person.credentials()).await,
        world.post("/login", other.credentials()).await,
        {
            world.hasher().set(Behaviour::Busy);
            world.post("/login", person.credentials()).await
        },
        {
            world.hasher().set(Behaviour::Panic);
            world.post("/login", person.credentials()).await
        },
    ];
    let found = replies.iter().map(shown).collect::<Vec<_>>().join("\n");
    assert_snapshot("problems", &found);
}

/// ER1: likewise of what asks for more than a session, and of the CSRF token.
pub async fn er1_refusals_of_the_signed_in_are_as_documented(mount: &Mount) {
    let world = World::new(mount).await;
    let (user, admin) = (world.verified().await, world.admin().await);
    let (users, admins) = (world.sign_in(&user).await, world.sign_in(&admin).await);
    let admin_id = world.user_id(&admin).await;
    let of_admin = |method, rest: &str| world.call(method, &format!("/admin/users/{admin_id}{rest}")).by(&admins);
    let mut replies = vec![
        world.get("/admin/users").by(&users).await,
        of_admin(Method::PUT, "/roles/editor").await,
        of_admin(Method::DELETE, "/roles/admin").await,
        of_admin(Method::POST, "/suspend").await,
        world.call(Method::DELETE, "/me").by(&admins).await,
        world.get("/admin/users/7").by(&admins).await,
        world.get("/admin/users?limit=101&cursor=x").by(&admins).await,
        world.get("/admin/audit?kind=nothing&user=x").by(&admins).await,
    ];
    if let Credentials::Browser(cookies) = &users {
        replies.push(world.post("/logout", json!({})).with_cookies(cookies).await);
    }
    world.clock().advance(Duration::from_secs(600));
    replies.push(world.get("/me/export").by(&users).await);
    let found = replies.iter().map(shown).collect::<Vec<_>>().join("\n");
    let name = if world.profile().csrf_token { "refusals-sessions" } else { "refusals-tokens" };
    assert_snapshot(name, &found);
}

/// A problem and the headers that go with it, without its id.
fn shown(reply: &Reply) -> String {
    let mut body = reply.json();
    body["requestId"] = json!("…");
    let headers = ["allow", "retry-after", "www-authenticate", "ratelimit", "ratelimit-policy"];
    let headers: Vec<_> =
        headers.iter().filter_map(|name| reply.header(name).map(|value| format!("\n  {name}: {value}"))).collect();
    format!("{body}{}", headers.concat())
}

/// ER1: what isn't there is a problem too, in whatever spelling, and 405 names what there is.
pub async fn er1_unknown_paths_and_methods(mount: &Mount) {
    let world = World::new(mount).await;
    let prefix = world.prefix();
    for path in ["", "/", "/nothing", "/me/", "//me", "/me/x", "/ME", "/sessions/", "/sessions/a/b", "/%6de", "/.."] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            world.at(method, &format!("{prefix}{path}")).await.problem("NOT_FOUND");
        }
    }
    for path in ["/", "/nothing", "/v1", &format!("{prefix}x"), "/healthz/"] {
        world.at(Method::GET, path).await.problem("NOT_FOUND");
    }
    for (path, allow) in [("/login", "POST"), ("/me", "GET, HEAD, PATCH, DELETE"), ("/sessions/7", "DELETE")] {
        for method in [Method::PUT, Method::TRACE, Method::OPTIONS, Method::from_bytes(b"BREW").expect("a method")] {
            let reply = world.call(method, path).await;
            reply.problem("METHOD_NOT_ALLOWED");
            assert_eq!((reply.status, reply.header("allow")), (405, Some(allow)));
        }
    }
    assert_eq!(world.at(Method::POST, "/healthz").await.header("allow"), Some("GET, HEAD"));

    // A method can't be talked into being another.
    let overridden = world.get("/login").header("x-http-method-override", "POST").json(&json!({})).await;
    overridden.problem("METHOD_NOT_ALLOWED");

    // HEAD is GET without the body.
    let credentials = world.sign_in(&world.registered().await).await;
    let get = world.get("/me").by(&credentials).await;
    let head = world.call(Method::HEAD, "/me").by(&credentials).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(&*get.body.len().to_string()));
    for (path, status) in [("/me", 401), ("/login", 405), ("/nothing", 404)] {
        let (get, head) = (world.get(path).await, world.call(Method::HEAD, path).await);
        assert_eq!((head.status, head.body.len()), (status, 0));
        assert_eq!(head.header("content-length"), Some(&*get.body.len().to_string()), "{path}");
    }
}

/// ER1, CS4: bodies that are too large, of another type, or no JSON.
pub async fn er1_bodies_that_are_not_taken(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let login = |media_type| world.call(Method::POST, "/login").raw(media_type, person.credentials().to_string());
    for media_type in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON;x=y"] {
        login(media_type).await.expect(200);
    }
    for media_type in
        ["text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "multipart/form-data", ""]
    {
        assert_eq!(login(media_type).await.status, 415);
    }
    assert_eq!(login("application/json").without("content-type").await.status, 415);
    assert_eq!(login("application/json").and_header("content-type", "text/plain").await.status, 415);
    assert_eq!(login("application/json").header("content-encoding", "gzip").await.status, 415);
    for body in ["", "null", "[]", "7", "{", "{}{}", "{\"email\"", "{'email': 1}"] {
        let reply = world.call(Method::POST, "/login").raw("application/json", body).await;
        reply.problem("VALIDATION_FAILED");
    }
    let padded = |bytes: usize| {
        format!("{}{}", " ".repeat(bytes - person.credentials().to_string().len()), person.credentials())
    };
    world.call(Method::POST, "/login").raw("application/json", padded(64 * 1024)).await.expect(200);
    let reply = world.call(Method::POST, "/login").raw("application/json", padded(64 * 1024 + 1)).await;
    reply.problem("PAYLOAD_TOO_LARGE");
}

/// ER1: a panic is a 500 that tells nothing, and the next request is answered.
pub async fn er1_a_panic_is_a_problem(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    world.hasher().set(Behaviour::Panic);
    for call in [
        world.post("/login", person.credentials()),
        world.post("/register", Person::new().credentials()),
        world.post("/register", Person::new().credentials()).header("idempotency-key", "k"),
    ] {
        let reply = call.await;
        reply.problem("INTERNAL");
        assert!(!String::from_utf8_lossy(&reply.body).contains("hasher"));
    }
    world.hasher().set(Behaviour::Work);
    assert!(world.sign_in(&person).await.is_live(&world).await);
}

/// DF4: a store that can't answer is 503 with a time to come back, and nothing of the store in it; probes say so too.
pub async fn df4_a_store_that_is_away_is_503(mount: &Mount) {
    let world = World::new(mount).await;
    let person = world.registered().await;
    let credentials = world.sign_in(&person).await;
    assert_eq!(world.at(Method::GET, "/readyz").await.status, 200);
    world.faults().arm(Fault::Away);
    // Probes ask the store once a second.
    assert_eq!(world.at(Method::GET, "/readyz").await.status, 200);
    world.clock().advance(Duration::from_secs(1));
    for call in [
        world.get("/me").by(&credentials),
        world.post("/login", person.credentials()),
        world.post("/register", Person::new().credentials()),
        world.post("/register", Person::new().credentials()).header("idempotency-key", "k"),
        world.post("/verify/request", json!({ "email": person.email })),
        world.post("/password/reset/request", json!({ "email": Person::new().email })),
        world.at(Method::GET, "/readyz"),
        world.at(Method::GET, "/readyz"),
    ] {
        let reply = call.await;
        reply.problem("UNAVAILABLE");
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("2")));
        assert!(!String::from_utf8_lossy(&reply.body).contains("fault"));
    }
    assert_eq!(world.at(Method::GET, "/healthz").await.status, 200);
    world.faults().disarm();
    assert!(credentials.is_live(&world).await);
}

/// A client's request id comes back, if it is one; else there is a new one each time.
pub async fn request_ids_are_kept_or_made(mount: &Mount) {
    let world = World::new(mount).await;
    let id = async |sent: &str| {
        let reply = world.get("/me").header("x-request-id", sent).await;
        reply.header("x-request-id").map(str::to_owned)
    };
    let longest = "x".repeat(128);
    assert_eq!(id("from-the-client").await.as_deref(), Some("from-the-client"));
    assert_eq!(id(&longest).await.as_deref(), Some(&*longest));
    for refused in ["", "with blank", "é", &format!("{longest}x")] {
        let (one, two) = (id(refused).await, id(refused).await);
        assert!(one.as_deref() != Some(refused) && one != two);
    }
}
