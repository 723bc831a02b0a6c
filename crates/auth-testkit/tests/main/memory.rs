//! The reference passes its own suite.

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
