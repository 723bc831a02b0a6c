//! The flows on the reference store.

use std::sync::Arc;

use auth_core::port::Store;
use auth_testkit::MemoryStore;

async fn open() -> ([Arc<dyn Store>; 2], ()) {
    let store = Arc::new(MemoryStore::new());
    ([store.clone(), store], ())
}

auth_testkit::flow_suite!(open);
