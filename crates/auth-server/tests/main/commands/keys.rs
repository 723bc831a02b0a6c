//! `keys`: what signs access tokens.

use crate::support::database::{Backend, PEPPER, Site, on_each_backend};
use crate::support::person::Person;
use crate::support::process::{Home, Server};

on_each_backend!(jw5_keys_are_rotated, sc4_keys_are_sealed_anew);

async fn kids(server: &Server) -> Vec<String> {
    let jwks = server.client().root("/.well-known/jwks.json").expect(200).await;
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// JW5: a new key signs, and what the old one signed is still good.
async fn jw5_keys_are_rotated(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let home = site.home.with("PUBLIC_URL", "http://127.0.0.1:8080");
    let server = home.start().await;
    let person = Person::registered(&server.client()).await;
    let tokens = person.sign_in(&server.client()).await;
    let old = kids(&server).await;
    let new = home.json(&["keys", "rotate"])["kid"].as_str().unwrap().to_owned();
    server.stop().await;

    let server = home.start().await;
    let both = kids(&server).await;
    assert_eq!((both.len(), both.contains(&old[0]), both.contains(&new)), (2, true, true), "{both:?}");
    tokens.me(&server.client()).expect(200).await;
    let refreshed = crate::support::person::Tokens::of(&tokens.refresh(&server.client()).expect(200).await);
    refreshed.me(&server.client()).expect(200).await;
    assert!(home.done(&["keys", "rotate"]).ends_with(" signs from now on\n"));
    server.stop().await;
}

/// SC4: sealed under the current pepper, the old one can go.
async fn sc4_keys_are_sealed_anew(backend: Backend) {
    const NEW: &str = "hP6wD1vN8zK3tJ5xQ0sG7bM2cR9yF4lA";
    let Some(site) = Site::on(backend).await else { return };
    let home = site.home.with("AUTH_PEPPER", PEPPER);
    home.start().await.stop().await;
    assert_eq!(home.json(&["keys", "reseal"])["resealed"], 0);

    let alone = home.clone().with("AUTH_PEPPER", NEW);
    let both = alone.clone().with("AUTH_PEPPER_OLD", PEPPER);
    both.start().await.stop().await;
    assert!(alone.refused().contains("pepper"), "the key can't be opened yet");
    assert_eq!(both.done(&["keys", "reseal"]), "1 key was sealed anew\n");
    let server = alone.start().await;
    let person = Person::registered(&server.client()).await;
    person.sign_in(&server.client()).await.me(&server.client()).expect(200).await;
    server.stop().await;
}

/// Keys that aren't ours aren't rotated by us.
#[test]
fn keys_of_the_configuration_are_changed_there() {
    let home = Home::new().with("JWT_SECRET", "kX8sT2mV6qZ1wL9rB4nC7yD5gH3jF0pE");
    assert!(home.failed(&["keys", "rotate"]).contains("JWT_SECRET"));
}
