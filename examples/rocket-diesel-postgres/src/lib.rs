//! A Rocket application with accounts on diesel: see the README.

#![allow(clippy::needless_pass_by_value, reason = "Rocket hands guards over")]

pub mod profiles;

use portcullis::AuthHttp;
use portcullis::diesel::postgres::Pool;
use portcullis::rocket::{DenyByDefault, Portcullis};
use rocket::{Build, Rocket, routes};

/// The application's routes beside Portcullis's. Whatever isn't said to be public asks for a session.
pub fn rocket(rocket: Rocket<Build>, auth: &AuthHttp, pool: Pool) -> Rocket<Build> {
    rocket
        .manage(pool)
        .mount("/", routes![profiles::show, profiles::edit])
        .attach(Portcullis::new(auth).with_root_routes().deny_by_default(DenyByDefault::new()))
}
