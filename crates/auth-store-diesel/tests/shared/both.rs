//! This store and the one on sqlx over one database: what one writes, the other reads and goes on with.

use std::sync::Arc;

use auth_core::port::Store as AnyStore;
use auth_testkit::{MemoryStore, Nodes};

use super::{Database, OtherStore};

/// Every check of the suite with both: they take turns, from call to call.
mod conformance {
    use super::{AnyStore, Arc, nodes};

    async fn open() -> Arc<dyn AnyStore> {
        nodes().await
    }

    auth_testkit::store_suite!(open);
}

async fn nodes() -> Arc<dyn AnyStore> {
    // Left out of this run: the suite needs something to pass on.
    let Some(database) = Database::of_this_run().await else { return Arc::new(MemoryStore::new()) };
    let (one, other) = (database.open().await, OtherStore::connect(&database.url()).await.unwrap());
    one.migrate().await.unwrap();
    Arc::new(Nodes::new(vec![Arc::new(one), Arc::new(other)]))
}

/// Whichever migrates a database, the other finds nothing to do.
#[tokio::test]
async fn either_makes_the_schema_that_the_other_needs() {
    for diesel_first in [true, false] {
        let Some(database) = Database::empty().await else { return };
        let (one, other) = (database.open().await, OtherStore::connect(&database.url()).await.unwrap());
        if diesel_first {
            one.migrate().await.unwrap();
            assert!(other.migrate().await.unwrap().is_empty());
        } else {
            other.migrate().await.unwrap();
            assert!(one.migrate().await.unwrap().is_empty());
        }
        assert_eq!(one.check_schema().await.unwrap(), other.check_schema().await.unwrap());
    }
}
