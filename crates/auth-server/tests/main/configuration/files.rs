//! The files that a server makes, and those it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::database::{Backend, PEPPER, Site, on_each_backend};
use crate::support::person::Person;
use crate::support::process::Home;

on_each_backend!(sc3_a_pepper_that_is_not_the_stores);

/// Databases, mail and the pepper are for their owner's eyes only.
#[tokio::test]
async fn files_are_their_owners() {
    let home = Home::new();
    let server = home.start().await;
    let person = Person::registered(&server.client()).await;
    home.mails().wait_for(&person.email, "verify").await;
    let mode = |name: &str| home.path(name).metadata().unwrap().permissions().mode() & 0o777;
    for file in ["portcullis.db", "portcullis.db-wal", "portcullis.db-shm", "portcullis.db.pepper"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    assert_eq!(mode("mail"), 0o700);
    for mail in fs::read_dir(home.path("mail")).unwrap() {
        assert_eq!(mail.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    server.stop().await;
}

/// SC3: a pepper that others can read is none.
#[tokio::test]
async fn sc3_a_pepper_that_others_can_read() {
    let home = Home::new();
    home.start().await.stop().await;
    let file = home.path("portcullis.db.pepper");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let refusal = home.refused();
    assert!(refusal.contains("portcullis.db.pepper") && refusal.contains("0600"), "{refusal}");
    assert!(!refusal.contains(fs::read_to_string(&file).unwrap().trim()), "{refusal}");

    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    home.start().await.stop().await;
}

/// SC3: with another pepper nobody could sign in, so the server doesn't start, and says so. As an old one it is welcome.
async fn sc3_a_pepper_that_is_not_the_stores(backend: Backend) {
    const NEW: &str = "hP6wD1vN8zK3tJ5xQ0sG7bM2cR9yF4lA";
    let Some(site) = Site::on(backend).await else { return };
    let home = site.home.with("AUTH_PEPPER", PEPPER);
    let server = home.start().await;
    let person = Person::registered(&server.client()).await;
    server.stop().await;

    let changed = home.clone().with("AUTH_PEPPER", NEW);
    let refusal = changed.refused();
    assert!(refusal.contains("made under another pepper"), "{refusal}");
    assert!(!refusal.contains(PEPPER) && !refusal.contains(NEW), "{refusal}");
    if backend == Backend::Sqlite {
        let without = home.clone().without("AUTH_PEPPER").refused();
        assert!(without.contains("made under another pepper"), "{without}");
        assert!(!home.path("portcullis.db.pepper").exists(), "a pepper that opens nothing was made");
    }

    let server = changed.clone().with("AUTH_PEPPER_OLD", PEPPER).start().await;
    person.sign_in(&server.client()).await;
    server.stop().await;
}

/// SC3: what the file of the embedded database holds is what `AUTH_PEPPER` takes.
#[tokio::test]
async fn sc3_a_pepper_can_move_into_the_environment() {
    let home = Home::new();
    let server = home.start().await;
    let person = Person::registered(&server.client()).await;
    server.stop().await;

    let pepper = fs::read_to_string(home.path("portcullis.db.pepper")).unwrap();
    fs::remove_file(home.path("portcullis.db.pepper")).unwrap();
    let server = home.with("AUTH_PEPPER", pepper.trim()).start().await;
    person.sign_in(&server.client()).await;
    server.stop().await;
}
