//! The routes.

use std::sync::{Mutex, PoisonError};

use portcullis::AuthHttp;
use portcullis::rocket::{Admin, CsrfToken, CurrentUser, DenyByDefault, HasRole, Maybe, Portcullis};
use rocket::form::Form;
use rocket::http::{Method, RawStr};
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::{Build, FromForm, Rocket, State, get, post, routes};

/// What members have written, the last first.
#[derive(Debug, Default)]
pub struct Book(Mutex<Vec<String>>);

impl Book {
    fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The application's routes beside Portcullis's.
pub fn rocket(rocket: Rocket<Build>, auth: &AuthHttp) -> Rocket<Build> {
    // Whatever isn't named here asks for a session; whoever forgets to name something notices at once.
    let public = DenyByDefault::new().public(Method::Get, "/");
    rocket
        .manage(Book::default())
        .mount("/", routes![home, read, write, clear])
        .attach(Portcullis::new(auth).with_root_routes().deny_by_default(public))
}

#[get("/")]
fn home(user: Maybe<CurrentUser>) -> String {
    match &*user {
        Some(user) => format!("Hello, {}. The book is at /book.\n", user.email),
        None => "Hello, stranger. Sign up at /auth/register.\n".to_owned(),
    }
}

/// The book, and a form to write in it.
#[get("/book")]
fn read(csrf: CsrfToken, book: &State<Book>) -> RawHtml<String> {
    let entries = book.entries();
    let entries = entries.iter().map(|entry| format!("<li>{}</li>", RawStr::new(entry).html_escape()));
    // The hidden field first: guards see how a form begins.
    RawHtml(format!(
        "<!doctype html><title>Guest book</title><form method=post>{}<input name=text><button>Write</button></form><ul>{}</ul>",
        csrf.hidden_input(),
        entries.collect::<String>()
    ))
}

#[derive(FromForm)]
struct Entry {
    #[field(validate = len(1..=500))]
    text: String,
}

/// Writes in it. What another site's page makes a browser send is refused before this is called.
#[post("/book", data = "<entry>")]
fn write(user: CurrentUser, entry: Form<Entry>, book: &State<Book>) -> Redirect {
    let mut entries = book.0.lock().unwrap_or_else(PoisonError::into_inner);
    entries.insert(0, format!("{}: {}", user.email, entry.into_inner().text));
    Redirect::to("/book")
}

/// Empties it, for those who hold the role.
#[post("/book/clear")]
fn clear(_admin: HasRole<Admin>, book: &State<Book>) -> Redirect {
    book.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    Redirect::to("/book")
}
