//! RB1: every guard, against everybody who may come.

use std::sync::Arc;

use auth_core::domain::{Role, Status};
use auth_core::settings::AccessCheck;
use auth_http::AuthHttp;
use auth_rocket::{
    Admin, Csrf, CurrentSession, CurrentUser, FreshSession, FreshUser, Guest, HasPermission, HasRole, Maybe,
    Portcullis, Rejection, VerifiedUser,
};
use auth_testkit::http::{Mount, Profile, World};
use auth_testkit::{Call as Asked, Fault, MemoryStore};
use rocket::{get, routes};

use crate::host::Call;
use crate::matrix;
use crate::web::{self, App, Server};

auth_rocket::roles! {
    Editor = "editor";
}

auth_rocket::permissions! {
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

/// A route behind each guard, so that each has a row.
macro_rules! behind {
    ($($path:tt $name:ident: $guard:ty, $says:expr;)*) => {
        $(
            #[get($path)]
            fn $name(guard: $guard) -> &'static str {
                // In a variable: the attribute reads a closure that is called as one that calls.
                let says: fn($guard) -> &'static str = $says;
                says(guard)
            }
        )*

        const PATHS: &[&str] = &[$($path),*];

        fn app(auth: &AuthHttp) -> App {
            Server::new(web::quiet().mount("/", routes![stacked, $($name),*]).attach(Portcullis::new(auth)))
        }
    };
}

behind! {
    "/user" user: CurrentUser, |_| "in";
    "/session" session: CurrentSession, |_| "in";
    "/maybe/user" maybe_user: Maybe<CurrentUser>, |user: Maybe<CurrentUser>| said(user.is_some());
    "/maybe/session" maybe_session: Maybe<CurrentSession>, |session: Maybe<CurrentSession>| said(session.is_some());
    "/option/user" option_user: Option<CurrentUser>, |user: Option<CurrentUser>| said(user.is_some());
    "/result/user" result_user: Result<CurrentUser, Rejection>, |user: Result<CurrentUser, Rejection>| said(user.is_ok());
    "/verified" verified: VerifiedUser, |_| "in";
    "/role/editor" role_editor: HasRole<Editor>, |_| "in";
    "/role/admin" role_admin: HasRole<Admin>, |_| "in";
    "/permission" permission: HasPermission<WritePosts>, |_| "in";
    "/permission/misspelt" permission_misspelt: HasPermission<Misspelt>, |_| "in";
    "/fresh" fresh: FreshUser, |_| "in";
    "/fresh/session" fresh_session: FreshSession, |_| "in";
    "/guest" guest: Guest, |_| "in";
}

fn said(is_somebody: bool) -> &'static str {
    if is_somebody { "in" } else { "nobody" }
}

#[get("/stacked")]
fn stacked(
    _csrf: Csrf,
    _user: CurrentUser,
    _session: CurrentSession,
    _maybe: Maybe<CurrentUser>,
    _editor: HasRole<Editor>,
    _writer: HasPermission<WritePosts>,
) -> &'static str {
    "in"
}

// RB1: who comes in where; one line per route, so that a new one shows.
#[tokio::test]
async fn rb1_routes_and_roles_by_token() {
    let world = speaking(Profile::tokens()).await;
    let found = matrix::of(&world, &app(world.http()), PATHS, ("authorization", "Bearer dead")).await;
    assert_eq!(found, include_str!("guards.tokens.txt"), "as found:\n{found}");
}

// RB1: the same by cookie, but that a dead one is no reason to turn away guests.
#[tokio::test]
async fn rb1_routes_and_roles_by_cookie() {
    let world = speaking(Profile::sessions()).await;
    let found = matrix::of(&world, &app(world.http()), PATHS, ("cookie", "__Host-session=dead")).await;
    assert_eq!(found, include_str!("guards.sessions.txt"), "as found:\n{found}");
}

// RB3, SE5: what a guard knows is what the store says now, not what the token said when it was signed.
#[tokio::test]
async fn se5_guards_follow_the_store() {
    let world = world().await;
    let app = app(world.http());
    let person = world.verified().await;
    let token = world.sign_in(&person).await.secret().to_owned();
    assert_eq!(Call::get("/user").bearer(&token).send(&app).await.status, 200);
    world.set_status(&person, Status::Suspended).await;
    for path in ["/user", "/session", "/maybe/user", "/role/admin", "/permission"] {
        assert_eq!(Call::get(path).bearer(&token).send(&app).await.verdict(), "401 UNAUTHORIZED", "{path}");
    }
}

// One query a request, whatever is stacked.
#[tokio::test]
async fn guards_share_one_query() {
    let world = world().await;
    let app = app(world.http());
    let token = world.signed_in(true, &["editor"]).await.secret().to_owned();
    world.counting().take();
    assert_eq!(Call::get("/stacked").bearer(&token).send(&app).await.text, "in");
    assert_eq!(world.counting().take(), [Asked::FindSession]);
}

// DF4: a store that can't answer lets nobody in, guests neither, and is no reason to call anybody a stranger. What swallows
// every refusal, as Rocket's Option does, lets in whom a guest is let in as.
#[tokio::test]
async fn df4_no_guard_fails_open() {
    let world = world().await;
    let app = app(world.http());
    let token = world.signed_in(true, &["admin"]).await.secret().to_owned();
    world.faults().arm(Fault::Away);
    for path in PATHS {
        let reply = Call::get(path).bearer(&token).send(&app).await;
        if path.starts_with("/option") || path.starts_with("/result") {
            assert_eq!(reply.text, "nobody");
        } else {
            assert_eq!(reply.verdict(), "503 UNAVAILABLE", "{path}");
        }
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
    let app = app(world.http());
    let (_other, admin) = (world.admin().await, world.admin().await);
    let token = world.tokens(&admin).await.access;
    let paths = ["/session", "/verified", "/fresh", "/role/admin", "/permission"];
    for path in paths {
        assert_eq!(Call::get(path).bearer(&token).send(&app).await.status, 200, "{path}");
    }
    world.set_status(&admin, Status::Suspended).await;
    for path in paths {
        let status = Call::get(path).bearer(&token).send(&app).await.status;
        assert_eq!(status, if path == "/session" { 200 } else { 401 }, "{path}");
    }
}
