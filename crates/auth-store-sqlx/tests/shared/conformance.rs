//! The suite that every store passes, with two nodes on one database that take turns.

use std::sync::Arc;

use auth_core::port::Store;
use auth_testkit::{MemoryStore, Nodes};

use super::super::{BACKEND, Database};
use crate::support;

auth_testkit::store_suite!(two_nodes);

async fn two_nodes() -> Arc<dyn Store> {
    // Left out of this run: the suite needs something to pass on.
    let Some(database) = Database::of_this_run().await else { return Arc::new(MemoryStore::new()) };
    let (one, other) = (database.open().await, database.open().await);
    one.migrate().await.unwrap();
    Arc::new(Nodes::new(vec![Arc::new(one), Arc::new(other)]))
}

#[tokio::test]
async fn reports_what_it_ran_against() {
    let Some(database) = Database::of_this_run().await else { return };
    support::report(BACKEND, &database.version().await);
}
