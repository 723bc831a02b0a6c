//! RB1: every guard, as a layer and as an extractor, against everybody who may come.

use std::sync::Arc;

use auth_axum::{
    Admin, CurrentSession, CurrentUser, FreshSession, FreshUser, Guards, Guest, HasPermission, HasRole, VerifiedUser,
};
use auth_core::domain::Role;
use auth_core::settings::AccessCheck;
use auth_http::AuthHttp;
use auth_testkit::MemoryStore;
use auth_testkit::http::{Mount, Profile, World};
use auth_testkit::{Call as Asked, Fault};
use axum::Router;
use axum::handler::Handler;
use axum::routing::get;

use crate::host::Call;
use crate::matrix;
use crate::web;

auth_axum::roles! {
    Editor = "editor";
}

auth_axum::permissions! {
    WritePosts = "posts.write";
    Misspelt = "posts.wirte";
}

async fn world() -> World {
    speaking(Profile::tokens()).await
}

async fn speaking(profile: Profile) -> World {
    let mount = Mount::new(Arc::new(MemoryStore::new()), web::mounted).speaking(profile);
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
        .behind("/layer/fresh", auth.require_fresh())
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
        .with("/fresh", async |_: FreshUser| "in")
        .with("/fresh/session", async |_: FreshSession| "in")
        .with("/guest", async |_: Guest| "in")
}

// RB1: who comes in where; one line per route, so that a new one shows.
#[tokio::test]
async fn rb1_routes_and_roles_by_token() {
    let found = matrix(&speaking(Profile::tokens()).await, ("authorization", "Bearer dead")).await;
    assert_eq!(found, include_str!("guards.tokens.txt"), "as found:\n{found}");
}

// RB1: the same by cookie, but that a dead one is no reason to turn away guests.
#[tokio::test]
async fn rb1_routes_and_roles_by_cookie() {
    let found = matrix(&speaking(Profile::sessions()).await, ("cookie", "__Host-session=dead")).await;
    assert_eq!(found, include_str!("guards.sessions.txt"), "as found:\n{found}");
}

async fn matrix(world: &World, dead: (&'static str, &str)) -> String {
    let Routes(router, paths) = routes(world.http());
    matrix::of(world, &router.with_state(world.http().clone()), &paths, dead).await
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
    let token = world.signed_in(true, &["editor"]).await.secret().to_owned();
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
    let token = world.signed_in(true, &["admin"]).await.secret().to_owned();
    world.faults().arm(Fault::Away);
    for path in paths {
        assert_eq!(Call::get(path).bearer(&token).send(&app).await.verdict(), "503 UNAVAILABLE", "{path}");
    }
}

// SE5: where access tokens are taken at their word, a dead session may look on until they expire, and no more than that.
#[tokio::test]
async fn se5_roles_are_never_taken_at_a_tokens_word() {
    let mount = Mount::new(Arc::new(MemoryStore::new()), web::mounted);
    let world = World::with(&mount, |options| {
        options.core.access_check = AccessCheck::Stateless;
        options.core.permissions.allow("posts.write", [Role::admin()]);
    });
    let world = world.await;
    let app = routes(world.http()).0.with_state(world.http().clone());
    let (_other, admin) = (world.admin().await, world.admin().await);
    let token = world.tokens(&admin).await.access;
    let paths =
        ["/session", "/verified", "/fresh", "/fresh/session", "/role/admin", "/permission", "/layer/role/admin"];
    for path in paths {
        assert_eq!(Call::get(path).bearer(&token).send(&app).await.status, 200, "{path}");
    }
    world.set_status(&admin, auth_core::domain::Status::Suspended).await;
    for path in paths {
        let status = Call::get(path).bearer(&token).send(&app).await.status;
        assert_eq!(status, if path == "/session" { 200 } else { 401 }, "{path}");
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
