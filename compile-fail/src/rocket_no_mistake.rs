//! What Rocket's others get wrong, done right.

use auth_rocket::{Admin, CsrfForm, CurrentUser, HasPermission, HasRole, Limited, Maybe, RateLimit};
use rocket::{FromForm, get, post, routes};

auth_rocket::permissions! {
    WritePosts = "posts.write";
}

struct Search;

impl Limited for Search {
    const NAME: &'static str = "search";
    const LIMIT: auth_core::port::Limit = auth_core::port::Limit { uses: 3, window: std::time::Duration::from_secs(1) };
}

#[derive(FromForm)]
struct Note<'r> {
    text: &'r str,
}

#[get("/")]
fn hello(user: Maybe<CurrentUser>, _limit: RateLimit<Search>) -> String {
    user.as_ref().map(|user| user.email.to_string()).unwrap_or_default()
}

#[post("/purge")]
fn purge(admin: HasRole<Admin>) -> String {
    admin.email.to_string()
}

#[post("/write", data = "<note>")]
fn write(author: HasPermission<WritePosts>, note: CsrfForm<Note<'_>>) -> String {
    format!("{}: {}", author.email, note.text)
}

fn rocket() -> rocket::Rocket<rocket::Build> {
    rocket::build().mount("/", routes![hello, purge, write])
}
