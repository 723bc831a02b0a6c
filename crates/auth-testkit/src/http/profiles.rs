//! Several profiles in one process.

use auth_http::{AuthHttp, HttpSettings, Profile, SetupError};
use http::{HeaderMap, Method, Request};
use serde_json::json;

use super::{Mount, Tokens, World};

/// A system that speaks `sessions` and `tokens`.
async fn both(mount: &Mount) -> World {
    World::with(mount, |options| options.others = vec![Profile::tokens()]).await
}

/// Each profile takes its own credentials only, and one account has sessions of both; ending them reaches all.
pub async fn profiles_take_their_own_credentials(mount: &Mount) {
    let world = both(mount).await;
    let person = world.verified().await;
    let browser = world.sign_in(&person).await;
    let reply = world.at(Method::POST, "/v1/auth/login").json(&person.credentials()).await;
    assert!(reply.set_cookies().is_empty(), "{reply:?}");
    let tokens = Tokens::of(&reply.expect(200));
    let me = |path: &str| world.at(Method::GET, path);
    me("/auth/me").by(&browser).await.expect(200);
    me("/v1/auth/me").bearer(&tokens.access).await.expect(200);
    me("/v1/auth/me").by(&browser).await.problem("UNAUTHORIZED");
    me("/auth/me").bearer(&tokens.access).await.problem("UNAUTHORIZED");
    me("/auth/me").with_cookies(&browser.cookies().with("session", &tokens.access)).await.problem("UNAUTHORIZED");
    me("/v1/auth/me").bearer(browser.secret()).await.problem("UNAUTHORIZED");
    assert_eq!(world.get("/sessions").by(&browser).await.expect(200)["sessions"].as_array().map(Vec::len), Some(2));
    world.at(Method::POST, "/v1/auth/logout/all").bearer(&tokens.access).await.expect(204);
    browser.assert_dead(&world).await;
    me("/v1/auth/me").bearer(&tokens.access).await.problem("UNAUTHORIZED");
    let refresh = world.at(Method::POST, "/v1/auth/refresh").json(&json!({ "refreshToken": tokens.refresh }));
    refresh.await.problem("UNAUTHORIZED");
    // Each registers its own way.
    let taken = world.at(Method::POST, "/v1/auth/register").json(&person.credentials()).await;
    taken.problem("CONFLICT");
    world.at(Method::POST, "/auth/register").json(&person.credentials()).await.expect(202);
}

/// A host's own routes take what any of the profiles delivers, by the rules of that profile.
pub async fn cs2_a_hosts_routes_take_any_credential(mount: &Mount) {
    let world = both(mount).await;
    let person = world.verified().await;
    let browser = world.sign_in(&person).await;
    let cookies = browser.cookies();
    let token =
        Tokens::of(&world.at(Method::POST, "/v1/auth/login").json(&person.credentials()).await.expect(200)).access;
    let http = world.http();
    let identify = async |method: Method, headers: &[(&str, &str)], field: Option<&str>| {
        let mut request = Request::builder().method(method).uri("/orders");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).expect("a request").into_parts().0;
        let outcome = http.identify_form(&head, None, field).await;
        outcome.map(|found| found.signed.user.email.as_str().to_owned()).map_err(|problem| problem.code().as_str())
    };
    let email = || Ok(person.email.clone());
    let (bearer, header) = (format!("Bearer {token}"), cookies.header());
    let csrf = cookies.csrf_token();
    assert_eq!(identify(Method::POST, &[("authorization", &bearer)], None).await, email());
    assert_eq!(identify(Method::GET, &[("cookie", &header)], None).await, email());
    assert_eq!(identify(Method::POST, &[("cookie", &header)], None).await, Err("CSRF_FAILED"));
    assert_eq!(identify(Method::POST, &[("cookie", &header), ("x-csrf-token", &csrf)], None).await, email());
    // By the field of a form; a header that is there decides.
    assert_eq!(identify(Method::POST, &[("cookie", &header)], Some(&csrf)).await, email());
    assert_eq!(identify(Method::POST, &[("cookie", &header)], Some("x")).await, Err("CSRF_FAILED"));
    let both = [("cookie", &*header), ("x-csrf-token", "x")];
    assert_eq!(identify(Method::POST, &both, Some(&csrf)).await, Err("CSRF_FAILED"));
    // What isn't from here isn't, token or not; a bearer token needs no origin.
    let foreign = [("cookie", &*header), ("x-csrf-token", &*csrf), ("origin", "https://evil.example")];
    assert_eq!(identify(Method::POST, &foreign, None).await, Err("CSRF_FAILED"));
    let partner = [("authorization", &*bearer), ("origin", "https://partner.example"), ("cookie", &*header)];
    assert_eq!(identify(Method::POST, &partner, None).await, email());
    let dead = [("authorization", "Bearer x"), ("cookie", &*header)];
    assert_eq!(identify(Method::GET, &dead, None).await, Err("UNAUTHORIZED"), "a token decides before any cookie");
    assert_eq!(identify(Method::GET, &[], None).await, Err("UNAUTHORIZED"));

    // Guests may have a dead cookie, since no page can help it; but no dead token.
    let optional = async |headers: &[(&str, &str)]| {
        let mut request = Request::get("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).expect("a request").into_parts().0;
        http.identify_optional(&head, None, None)
            .await
            .map(|found| found.is_some())
            .map_err(|problem| problem.code().as_str())
    };
    assert_eq!(optional(&[("cookie", &header)]).await, Ok(true));
    assert_eq!(optional(&[]).await, Ok(false));
    world.post("/logout", json!({})).by(&browser).await.expect(204);
    assert_eq!(optional(&[("cookie", &header)]).await, Ok(false));
    assert_eq!(optional(&[("authorization", "Bearer x")]).await, Err("UNAUTHORIZED"));
    assert!(!http.has_credential(&HeaderMap::new()));
}

/// CS1: what browsers would refuse, and what would leave two profiles in each other's way, is refused before anybody asks.
pub async fn cs1_what_cannot_work_is_not_served(mount: &Mount) {
    let world = World::new(mount).await;
    let refused = |profiles: Vec<Profile>| {
        let http = AuthHttp::new(world.http().auth().clone(), profiles, HttpSettings::default());
        http.err()
    };
    assert_eq!(refused(vec![]), Some(SetupError::NoProfile));
    assert_eq!(refused(vec![Profile::sessions(), Profile::tokens()]), None);
    let prefixes = |one: &str, other: &str| Some(SetupError::Prefixes(one.into(), other.into()));
    assert_eq!(refused(vec![Profile::sessions(), Profile::sessions()]), prefixes("/auth", "/auth"));
    assert_eq!(refused(vec![Profile::sessions(), Profile::tokens().at("/auth/v1")]), prefixes("/auth", "/auth/v1"));
    assert_eq!(refused(vec![Profile::sessions(), Profile::sessions().at("/account")]), None);
    let mut named = Profile::sessions().at("/account");
    named.cookies.same_site = auth_http::SameSite::Lax;
    assert_eq!(refused(vec![Profile::sessions(), named]), Some(SetupError::Cookie("__Host-session".into())));
    let mut wrong = Profile::sessions();
    wrong.cookies.session = Some("a b".into());
    wrong.cookies.csrf = Some("__Host-csrf".into());
    wrong.cookies.domain = Some("com".into());
    let Some(SetupError::Settings(mistakes)) = refused(vec![wrong]) else { panic!("it is served") };
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
}
