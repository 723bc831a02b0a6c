//! Where a request comes from and goes to, by name.

use auth_core::domain::MailKind;
use auth_core::settings::Settings;
use auth_http::{Delivery, Origin};
use http::Method;
use serde_json::json;

use super::world::{FRONTEND_URL, PUBLIC_URL};
use super::{Mount, Person, World, table};

const ALLOWED: &str = "https://admin.example.net";

async fn world(mount: &Mount) -> World {
    World::with(mount, |options| {
        options.http.allowed_origins = vec![Origin::parse(ALLOWED).expect("an origin")];
        options.core.limits.request_address.uses = 10_000;
    })
    .await
}

/// CS3: what another site sends is refused before anything else is looked at, on every unsafe route.
pub async fn cs3_foreign_origins_change_nothing(mount: &Mount) {
    let world = world(mount).await;
    let credentials = world.sign_in(&world.registered().await).await;
    for route in world.routes().iter().filter(|route| !route.method.is_safe()) {
        let call = || table::call(&world, route).by(&credentials);
        for foreign in [
            "null",
            "https://evil.example",
            "http://app.example.com",
            "https://app.example.com:444",
            "https://app.example.com.evil.net",
            "https://evil-app.example.com",
            "https://app.example.com/",
        ] {
            let reply = call().header("origin", foreign).header("sec-fetch-site", "same-origin").await;
            reply.problem("CSRF_FAILED");
            assert_eq!(reply.header("access-control-allow-origin"), None);
        }
        call().header("origin", FRONTEND_URL).and_header("origin", "https://evil.example").await.problem("CSRF_FAILED");
        call().header("sec-fetch-site", "cross-site").await.problem("CSRF_FAILED");
    }
    world.post("/nothing", json!({})).header("origin", "null").await.problem("CSRF_FAILED");
    assert!(credentials.is_live(&world).await);

    let person = world.registered().await;
    for ours in [PUBLIC_URL, FRONTEND_URL, ALLOWED] {
        let call = world.post("/login", person.credentials());
        call.header("origin", ours).header("sec-fetch-site", "cross-site").await.expect(200);
    }
    for site in ["same-origin", "same-site", "none"] {
        world.post("/login", person.credentials()).header("sec-fetch-site", site).await.expect(200);
    }
    world.get("/me").header("origin", "https://evil.example").by(&credentials).await.expect(200);
}

/// CS5: pages of listed origins may read replies and are told what they may send; nobody else is named.
pub async fn cs5_listed_origins_may_read(mount: &Mount) {
    let world = world(mount).await;
    let preflight = |origin: &str, path: &str| {
        world.call(Method::OPTIONS, path).header("origin", origin).header("access-control-request-method", "PATCH")
    };
    for ours in [PUBLIC_URL, FRONTEND_URL, ALLOWED] {
        let reply = preflight(ours, "/me").await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, Some(ours)));
        assert_eq!(reply.header("access-control-allow-methods"), Some("GET, HEAD, PATCH, DELETE"));
        assert!(reply.header("access-control-allow-headers").is_some_and(|headers| headers.contains("x-csrf-token")));
        let read = world.get("/me").header("origin", ours).await;
        assert_eq!(read.header("access-control-allow-origin"), Some(ours));
        // Cookies go along where there are any of ours, and nowhere else.
        let with_cookies = (world.profile().delivery == Delivery::SessionCookie).then_some("true");
        for reply in [reply, read] {
            assert_eq!(reply.header("access-control-allow-credentials"), with_cookies);
        }
    }
    for foreign in ["https://evil.example", "http://app.example.com", "null"] {
        for reply in [preflight(foreign, "/me").await, world.get("/me").header("origin", foreign).await] {
            assert_eq!(reply.header("access-control-allow-origin"), None);
            assert_eq!(reply.header("access-control-allow-credentials"), None);
            assert_eq!(reply.header("vary"), Some("origin"));
        }
    }
    preflight(FRONTEND_URL, "/nothing").await.problem("NOT_FOUND");
}

/// EM2: links lead to the frontend, whatever name the request was sent to or claims to have been sent to.
pub async fn em2_links_lead_to_the_frontend(mount: &Mount) {
    let world = world(mount).await;
    let person = Person::new();
    let poisoned = |path, body| {
        let call = world.post(path, body).header("host", "evil.example").header("x-forwarded-host", "evil.example");
        call.header("forwarded", "host=evil.example")
            .header("x-forwarded-proto", "http")
            .header("referer", "https://evil.example/")
    };
    assert!(matches!(poisoned("/register", person.credentials()).await.status, 201 | 202));
    world.verify(&person).await;
    poisoned("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    for kind in [MailKind::Verify, MailKind::Reset] {
        let link = world.inbox().await.link(&person.address(), kind);
        assert!(link.starts_with(&format!("{FRONTEND_URL}/")) && !link.contains("evil"), "{link}");
    }
}

/// SC5: with development defaults only loopback names are answered; what a proxy says it was asked for counts nothing.
pub async fn sc5_development_defaults_answer_loopback_only(mount: &Mount) {
    let world = World::with(mount, |options| options.http.loopback_only = true).await;
    for path in [&*format!("{}/me", world.prefix()), "/healthz", "/nothing"] {
        for host in ["example.com", "localhost.example.com", "192.168.0.7:8080"] {
            let reply = world.at(Method::GET, path).header("host", host).await;
            reply.problem("MISDIRECTED");
            assert_eq!(reply.status, 421);
            let claimed =
                world.at(Method::GET, path).header("host", host).header("x-forwarded-host", "localhost").await;
            claimed.problem("MISDIRECTED");
        }
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
            let call = || world.at(Method::GET, path).header("host", host);
            assert_ne!(call().await.status, 421);
            for of_a_proxy in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"] {
                call().header(of_a_proxy, "127.0.0.1").await.problem("MISDIRECTED");
            }
        }
    }
}

/// CS3: links may lead into an app, whose address has no origin; `null`, which it would be written as, is anybody's.
pub async fn cs3_an_app_has_no_origin(mount: &Mount) {
    let world = World::with(mount, |options| options.core.frontend_url = "myapp://open".into()).await;
    let person = world.registered().await;
    let reply = world.post("/login", person.credentials()).header("origin", "null").await;
    reply.problem("CSRF_FAILED");
    assert_eq!(reply.header("access-control-allow-origin"), None);
    world.post("/login", person.credentials()).header("origin", PUBLIC_URL).await.expect(200);
}

/// In development a page is ours under each of loopback's names.
pub async fn development_goes_by_loopbacks_names(mount: &Mount) {
    let world = |loopback_only| {
        World::with(mount, move |options| {
            options.core = Settings::new("http://127.0.0.1:8080");
            options.http.loopback_only = loopback_only;
        })
    };
    let development = world(true).await;
    let person = Person::new();
    let send = |world: &World, path: &str| world.post(path, person.credentials()).header("host", "localhost:8080");
    assert!(matches!(send(&development, "/register").await.status, 201 | 202));
    let token = json!({ "token": development.link(&person, MailKind::Verify).await });
    development.post("/verify/confirm", token).header("host", "localhost:8080").await.expect(200);
    let login = |world: &World, origin: &str| send(world, "/login").header("origin", origin);
    for origin in ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"] {
        let reply = login(&development, origin).await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some(origin)));
    }
    for foreign in ["http://localhost:8081", "https://localhost:8080", "http://localhost", "http://app.localhost:8080"]
    {
        login(&development, foreign).await.problem("CSRF_FAILED");
    }
    login(&world(false).await, "http://localhost:8080").await.problem("CSRF_FAILED");
}
