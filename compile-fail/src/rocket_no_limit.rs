//! A limit that has neither name nor number.
//~ `Search` names no limit
//~ `impl Limited for Search`, with its name and how many requests there may be

use auth_rocket::RateLimit;
use rocket::get;

struct Search;

#[get("/search")]
fn search(_limit: RateLimit<Search>) -> &'static str {
    "found"
}
