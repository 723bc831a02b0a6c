//! The suite over several handles: each call goes to another one.

use std::sync::Arc;

use auth_core::port::Store;
use auth_testkit::{MemoryStore, Nodes};

async fn open() -> Arc<Nodes> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    Arc::new(Nodes::new(vec![store.clone(), store.clone(), store]))
}

auth_testkit::store_suite!(open);
