//! The pages behind the links in mail, where the server has no frontend beside it: used as a browser without JavaScript
//! uses them.

use auth_core::domain::MailKind;
use http::Method;
use serde_json::json;

use super::world::PUBLIC_URL;
use super::{Call, Mount, Person, Reply, World};

async fn without_frontend(mount: &Mount) -> World {
    World::with(mount, |options| options.core.frontend_url = PUBLIC_URL.into()).await
}

fn open(world: &World, page: &str, token: &str) -> Call {
    world.at(Method::GET, &format!("{page}?token={token}"))
}

fn submit(world: &World, page: &str, form: &str) -> Call {
    let form = form.to_owned().into_bytes();
    world.at(Method::POST, page).raw("application/x-www-form-urlencoded", form).header("origin", PUBLIC_URL)
}

#[track_caller]
fn html(reply: &Reply, status: u16) -> String {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{reply:?}");
    let policy = reply.header("content-security-policy").expect("a policy");
    for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!((reply.header("referrer-policy"), reply.header("x-frame-options")), (Some("same-origin"), Some("DENY")));
    let html = String::from_utf8(reply.body.to_vec()).expect("UTF-8");
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">") && !html.contains("<script"), "{html}");
    html
}

/// VT8: the link in a verification mail opens a page, as often as mail scanners like; its button confirms, once.
pub async fn vt8_a_link_is_confirmed_by_its_page(mount: &Mount) {
    let world = without_frontend(mount).await;
    let person = world.unverified().await;
    let token = world.link(&person, MailKind::Verify).await;
    for _ in 0..3 {
        let page = html(&open(&world, "/verify-email", &token).await, 200);
        assert!(page.contains(&format!("name=\"token\" value=\"{token}\"")) && page.contains("method=\"post\""));
        assert_eq!(world.at(Method::HEAD, &format!("/verify-email?token={token}")).await.status, 200);
    }
    let form = format!("token={token}");
    assert!(html(&submit(&world, "/verify-email", &form).await, 200).contains("is confirmed"));
    assert!(html(&submit(&world, "/verify-email", &form).await, 400).contains("doesn't work"));
    let signed_in = world.post("/login", person.credentials()).await.expect(200);
    assert_eq!(signed_in["user"]["emailVerified"], true);
}

/// The link in a reset mail opens a form; a password that is refused is asked for again, and spends nothing.
pub async fn a_password_is_reset_by_its_page(mount: &Mount) {
    let world = without_frontend(mount).await;
    let person = world.verified().await;
    world.post("/password/reset/request", json!({ "email": person.email })).await.expect(202);
    let token = world.link(&person, MailKind::Reset).await;
    assert!(html(&open(&world, "/reset-password", &token).await, 200).contains("autocomplete=\"new-password\""));
    for weak in ["short", "password1234", ""] {
        let page = html(&submit(&world, "/reset-password", &format!("token={token}&password={weak}")).await, 400);
        assert!(page.contains("role=\"alert\"") && page.contains(&token), "{page}");
    }
    let form = format!("token={token}&password=another+horse%2C+another+battery");
    assert!(html(&submit(&world, "/reset-password", &form).await, 200).contains("is changed"));
    let other = Person { password: "another horse, another battery".into(), ..person.clone() };
    world.post("/login", other.credentials()).await.expect(200);
    world.post("/login", person.credentials()).await.problem("UNAUTHORIZED");
}

/// CS3, CS4, EM3: pages take their own forms from their own site, and show nothing that a request brought.
pub async fn cs3_pages_take_their_own_forms(mount: &Mount) {
    let world = without_frontend(mount).await;
    let person = world.unverified().await;
    let token = world.link(&person, MailKind::Verify).await;
    for origin in ["https://evil.example", "null"] {
        let refused = submit(&world, "/verify-email", &format!("token={token}")).header("origin", origin).await;
        html(&refused, 403);
    }
    html(
        &world.at(Method::POST, "/verify-email").raw("application/json", format!("{{\"token\":\"{token}\"}}")).await,
        415,
    );
    for nonsense in ["", "%22%3E%3Cscript%3Ealert(1)%3C/script%3E", &token[1..], "%ff", "a&token=b"] {
        assert!(!html(&open(&world, "/verify-email", nonsense).await, 400).contains("alert"));
        html(&submit(&world, "/reset-password", &format!("token={nonsense}&password=x")).await, 400);
    }
    assert!(html(&submit(&world, "/verify-email", &format!("token={token}")).await, 200).contains("is confirmed"));

    let with_frontend = World::new(mount).await;
    with_frontend.at(Method::GET, "/verify-email").await.problem("NOT_FOUND");
}
