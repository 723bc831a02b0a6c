//! The database file.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use auth_core::port::{Housekeeping, StoreError, Users};
use auth_testkit::given;

use super::{Database, Store};

/// Addresses and hashes are in there: the file and its logs are their owner's alone.
#[tokio::test]
async fn files_are_readable_to_their_owner_only() {
    let (database, store) = Database::migrated().await.unwrap();
    given::registered(&store).await;

    let files: Vec<_> = fs::read_dir(database.file().parent().unwrap()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 3, "the database and its logs: {files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

/// A file that is there already has the mode that somebody gave it.
#[tokio::test]
async fn the_mode_of_an_existing_file_stays() {
    let database = Database::empty().await.unwrap();
    fs::write(database.file(), "").unwrap();
    fs::set_permissions(database.file(), Permissions::from_mode(0o640)).unwrap();
    database.open().await;

    assert_eq!(fs::metadata(database.file()).unwrap().permissions().mode() & 0o777, 0o640);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error() {
    let outcome = Store::connect("sqlite:///no/such/folder/store.db").await;
    assert!(matches!(outcome, Err(StoreError::Unavailable { store: "sqlite", .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_database_in_memory_keeps_what_it_is_told() {
    let store = Store::connect("sqlite::memory:").await.unwrap();
    store.migrate().await.unwrap();
    let user = given::registered(&store).await;

    assert_eq!(store.find_user(user.id).await.unwrap().unwrap().user, user);
    let other = Store::connect("sqlite::memory:").await.unwrap();
    assert!(other.ping().await.is_err(), "a database of its own");
}
