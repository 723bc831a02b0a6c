//! The published suites, on this store.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;

use auth_core::port::Store;
use custom_store::RedbStore;
use redb::Database;
use redb::backends::InMemoryBackend;

/// An empty database, in memory: it is the same code but for the disk.
async fn open() -> Arc<dyn Store> {
    Arc::new(RedbStore::new(Database::builder().create_with_backend(InMemoryBackend::new()).unwrap()).unwrap())
}

/// Two nodes on one handle. Two handles would show that nothing depends on what one process remembers, but redb opens a
/// file once.
async fn open_nodes() -> ([Arc<dyn Store>; 2], ()) {
    let store = open().await;
    ([store.clone(), store], ())
}

mod store {
    use super::open;

    auth_testkit::store_suite!(open);
}

mod flows {
    use super::open_nodes;

    auth_testkit::flow_suite!(open_nodes);
}

#[test]
fn a_file_is_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.redb");
    let first = RedbStore::open(&path).unwrap();
    assert!(RedbStore::open(&path).is_err());
    drop(first);
    RedbStore::open(&path).unwrap();
}

/// A row in the table of suites, beside those of our own stores.
#[test]
fn reports_what_it_ran_against() {
    let (_, redb) = include_str!("../../../Cargo.lock").split_once("name = \"redb\"\nversion = \"").expect("redb");
    let version = redb.split('"').next().unwrap();
    if let Some(file) = std::env::var_os("PORTCULLIS_SUITE_REPORT") {
        // One write, so that lines of tests that run at once don't mix.
        let line = format!("custom-store\tredb\t{version}\n");
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}
