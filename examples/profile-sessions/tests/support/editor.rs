//! The application in this process, with an account from the start, on a clock that is told the time: each test includes this
//! file.

use std::sync::Arc;

use axum::Router;
use portcullis::domain::{Context, Email, Password, Role};
use portcullis::flow::Actor;
use portcullis::flow::users::{self, NewUser};
use portcullis::keys::{KeyRing, Pepper};
use portcullis::testkit::{FakeClock, FastHasher, MemoryStore};
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings};
use profile_sessions::board;

pub(crate) const EMAIL: &str = "editor@example.com";
pub(crate) const PASSWORD: &str = "quietly harvest umbrella";

/// The application at `origin`, and its clock.
pub(crate) async fn application(origin: &str) -> (Router, Arc<FakeClock>) {
    let ring = KeyRing::new(&Pepper::new((0..32).collect::<Vec<u8>>()).unwrap(), &[]);
    let parts = Parts::new(Arc::new(MemoryStore::new()), ring, Settings::new(origin)).unwrap();
    let clock = Arc::new(FakeClock::default());
    let auth =
        Auth::start(Parts { clock: clock.clone(), hasher: Arc::new(FastHasher::default()), ..parts }).await.unwrap();
    let editor = NewUser {
        email: Email::parse(EMAIL).unwrap(),
        password: Some(Password::parse(PASSWORD.to_owned()).unwrap()),
        roles: vec![Role::parse("editor").unwrap()],
    };
    users::create(&auth, Actor::Operator, editor, &Context::default()).await.unwrap();
    (board::router(AuthHttp::new(auth, [Profile::sessions()], HttpSettings::default()).unwrap()), clock)
}
