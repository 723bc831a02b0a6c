//! Requests through two processes on one store, released at one moment.

use crate::support::checks;
use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::nodes::Nodes;
use crate::support::person::Person;
use crate::support::race::{count, race};

const RACERS: usize = 50;

/// A test of each check on each backend, by each library.
macro_rules! between_two_nodes {
    ($($check:ident),* $(,)?) => {
        $(async fn $check(backend: Backend) {
            if let Some(nodes) = Nodes::on(backend).await {
                checks::$check(nodes).await;
            }
        })*
        on_each_backend!(by each library: $($check),*);
    };
}

between_two_nodes!(
    en3_one_address_is_one_user,
    vt3_a_reset_link_is_spent_once,
    rr3_a_refresh_token_has_one_successor,
    id1_a_key_has_one_effect,
    se5_what_ends_is_dead_on_every_node,
);

/// LT3: of 50 racing guesses at one account, no more are compared than the limit says.
#[tokio::test]
async fn lt3_guesses_are_counted_before_they_are_compared() {
    let site = Site::on(Backend::Sqlite).await.unwrap();
    let server = site.home.start().await;
    let person = Person::registered(&server.client()).await;
    let guess = |i: usize| person.with_password(&format!("a wrong guess {i}")).login(&server.client());

    let replies = race((0..RACERS).map(guess)).await;

    assert_eq!((count(&replies, 401), count(&replies, 429)), (10, 40), "{replies:?}");
    for reply in replies.iter().filter(|reply| reply.status == 429) {
        reply.is_problem(429, "RATE_LIMITED");
        assert!(reply.headers.contains_key("retry-after"));
    }
    // LT5: the right password fares no better.
    person.login(&server.client()).problem(429, "RATE_LIMITED").await;
}
