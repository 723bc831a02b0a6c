//! The reference passes its own suite.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;

use auth_testkit::{MemoryStore, given};

async fn open() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

auth_testkit::store_suite!(open);

#[tokio::test]
async fn dumps_tell_equal_from_different() {
    let store = open().await;
    let user = given::registered(&*store).await;
    let dump = store.dump();
    assert!(dump.contains(user.email.as_str()) && dump.contains("$argon2id$"), "{dump}");
    assert_eq!(store.dump(), dump);
    given::signed_in(&*store, &user).await;
    assert_ne!(store.dump(), dump);
}

/// A row in the table of suites, beside those of the databases.
#[test]
fn reports_what_it_ran_against() {
    if let Some(file) = std::env::var_os("PORTCULLIS_SUITE_REPORT") {
        let line = format!("store\tmemory\t{}\n", env!("CARGO_PKG_VERSION"));
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}
