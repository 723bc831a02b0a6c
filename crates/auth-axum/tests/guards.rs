//! RB1: every guard, as a layer and as an extractor, against everybody who may come.

use std::fmt::Write;
use std::sync::Arc;

use auth_axum::{Admin, CurrentSession, CurrentUser, Guards, Guest, HasPermission, HasRole, VerifiedUser};
use auth_core::domain::Role;
use auth_http::AuthHttp;
use auth_testkit::MemoryStore;
use auth_testkit::http::{Mount, World};
use auth_testkit::{Call as Asked, Fault};
use axum::Router;
use axum::handler::Handler;
use axum::routing::get;

use crate::host::{Call, signed_in};
use crate::web;

auth_axum::roles! {
    Editor = "editor";
}

auth_axum::permissions! {
    WritePosts = "posts.write";
    Misspelt = "posts.wirte";
}

async fn world() -> World {
    let mount = Mount::new(Arc::new(MemoryStore::new()), web::axum);
    World::with(&mount, |options| {
        options.core.permissions.allow("posts.write", [Role::parse("editor").unwrap(), Role::admin()]);
    })
    .await
}

/// Collects routes, so that each has a row.
struct Routes(Router<AuthHttp>, Vec<&'static str>);

impl Routes {
    fn with<H: Handler<T, AuthHttp>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.1.push(path);
        Self(self.0.route(path, get(handler)), self.1)
    }

    fn behind(mut self, path: &'static str, guard: auth_axum::Guard) -> Self {
        self.1.push(path);
        Self(self.0.route(path, get(async || "in").route_layer(guard)), self.1)
    }
}

fn routes(auth: &AuthHttp) -> Routes {
    Routes(Router::new(), Vec::new())
        .behind("/layer/session", auth.require_session())
        .behind("/layer/verified", auth.require_verified())
        .behind("/layer/role/editor", auth.require_role("editor"))
        .behind("/layer/role/admin", auth.require_role("admin"))
        .behind("/layer/permission", auth.require_permission("posts.write"))
        .behind("/layer/guest", auth.guests_only())
        .behind("/layer/optional", auth.optional_session())
        .with("/user", async |_: CurrentUser| "in")
        .with("/session", async |_: CurrentSession| "in")
        .with("/optional/user", async |user: Option<CurrentUser>| if user.is_some() { "in" } else { "nobody" })
        .with(
            "/optional/session",
            async |session: Option<CurrentSession>| if session.is_some() { "in" } else { "nobody" },
        )
        .with("/verified", async |_: VerifiedUser| "in")
        .with("/role/editor", async |_: HasRole<Editor>| "in")
        .with("/role/admin", async |_: HasRole<Admin>| "in")
        .with("/permission", async |_: HasPermission<WritePosts>| "in")
        .with("/permission/misspelt", async |_: HasPermission<Misspelt>| "in")
        .with("/guest", async |_: Guest| "in")
}

// RB1: who comes in where; one line per route, so that a new one shows.
#[tokio::test]
async fn rb1_routes_and_roles() {
    let world = world().await;
    let Routes(router, paths) = routes(world.http());
    let app = router.with_state(world.http().clone());
    let everybody = [
        ("nobody", None),
        ("dead", Some("dead".to_owned())),
        ("user", Some(signed_in(&world, false, &["user"]).await.secret().to_owned())),
        ("verified", Some(signed_in(&world, true, &["user"]).await.secret().to_owned())),
        ("editor", Some(signed_in(&world, true, &["editor", "user"]).await.secret().to_owned())),
        ("admin", Some(signed_in(&world, true, &["admin", "user"]).await.secret().to_owned())),
    ];
    let mut found = format!("{:22}{}\n", "", everybody.iter().map(|(who, _)| format!("{who:24}")).collect::<String>());
    for path in paths {
        write!(found, "{path:22}").unwrap();
        for (who, token) in &everybody {
            let call = token.iter().fold(Call::get(path), |call, token| call.bearer(token));
            world.counting().take();
            let reply = call.send(&app).await;
            let outcome = if reply.status == 200 { &reply.text } else { &reply.verdict() };
            write!(found, "{outcome:24}").unwrap();
            let is_known = !matches!(*who, "nobody" | "dead");
            assert_eq!(world.counting().take(), vec![Asked::FindSession; usize::from(is_known)], "{path}, {who}");
        }
        found.push('\n');
    }
    let found = found.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>();
    assert_eq!(found, include_str!("guards.txt"), "as found:\n{found}");
}

// RB3, SE5: what a guard knows is what the store says now, not what the token said when it was signed.
#[tokio::test]
async fn se5_guards_follow_the_store() {
    let world = world().await;
    let app = routes(world.http()).0.with_state(world.http().clone());
    let person = world.verified().await;
    let token = world.sign_in(&person).await.secret().to_owned();
    assert_eq!(Call::get("/layer/session").bearer(&token).send(&app).await.status, 200);
    world.set_status(&person, auth_core::domain::Status::Suspended).await;
    for path in ["/layer/session", "/user", "/layer/role/admin", "/permission"] {
        assert_eq!(Call::get(path).bearer(&token).send(&app).await.verdict(), "401 UNAUTHORIZED", "{path}");
    }
}

// One query a request, whatever is stacked.
#[tokio::test]
async fn layers_and_extractors_share_one_query() {
    let world = world().await;
    let auth = world.http();
    let app = Router::new()
        .route(
            "/",
            get(async |_: CurrentUser, _: CurrentSession, _: Option<CurrentUser>, _: HasPermission<WritePosts>| "in")
                .layer(auth.require_role("editor")),
        )
        .route_layer(auth.require_verified())
        .layer(auth.deny_by_default())
        .with_state(auth.clone());
    let token = signed_in(&world, true, &["editor"]).await.secret().to_owned();
    world.counting().take();
    assert_eq!(Call::get("/").bearer(&token).send(&app).await.text, "in");
    assert_eq!(world.counting().take(), [Asked::FindSession]);
    // A dead session is looked up once as well.
    world.call(http::Method::POST, "/logout").bearer(&token).await.expect(204);
    let app = Router::new()
        .route("/", get(async |_: Guest, _: Guest| "in").layer(auth.guests_only()))
        .with_state(auth.clone());
    world.counting().take();
    assert_eq!(Call::get("/").bearer(&token).send(&app).await.text, "in");
    assert_eq!(world.counting().take(), [Asked::FindSession]);
}

// DF4: a store that can't answer lets nobody in, guests neither, and is no reason to call anybody a stranger.
#[tokio::test]
async fn df4_no_guard_fails_open() {
    let world = world().await;
    let Routes(router, paths) = routes(world.http());
    let app = router.with_state(world.http().clone());
    let token = signed_in(&world, true, &["admin"]).await.secret().to_owned();
    world.faults().arm(Fault::Away);
    for path in paths {
        assert_eq!(Call::get(path).bearer(&token).send(&app).await.verdict(), "503 UNAVAILABLE", "{path}");
    }
}

#[tokio::test]
#[should_panic(expected = "no role can be called \"Editor\"")]
async fn a_layer_for_an_impossible_role_is_refused() {
    drop(world().await.http().require_role("Editor"));
}

#[tokio::test]
#[should_panic(expected = "the settings name no permission \"posts.wirte\"")]
async fn a_layer_for_a_misspelt_permission_is_refused() {
    drop(world().await.http().require_permission("posts.wirte"));
}
