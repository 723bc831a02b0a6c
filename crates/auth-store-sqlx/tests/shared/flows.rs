//! The flows of the core on this dialect, each check on a database of its own.

use std::sync::Arc;

use auth_core::port::Store;
use auth_testkit::MemoryStore;

use super::super::Database;

async fn open() -> ([Arc<dyn Store>; 2], Option<Database>) {
    let Some((database, store)) = Database::migrated().await else {
        // Left out of this run: the suite needs something to pass on.
        let store = Arc::new(MemoryStore::new());
        return ([store.clone(), store], None);
    };
    let other = database.open().await;
    ([Arc::new(store), Arc::new(other)], Some(database))
}

auth_testkit::flow_suite!(open);
