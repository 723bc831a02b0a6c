//! On the store in memory.

use std::sync::Arc;

use auth_testkit::MemoryStore;
use auth_testkit::http::Mount;

use crate::adapters::report;
use crate::web;

async fn open() -> Mount {
    Mount::new(Arc::new(MemoryStore::new()), web::mounted)
}

auth_testkit::http_suite!(open);

#[test]
fn reports_what_it_ran_against() {
    report::suite_ran_against("memory", env!("CARGO_PKG_VERSION"));
}

/// Where a cache answers, everything holds all the same.
mod remembering {
    use auth_core::adapter::LocalSessions;

    use super::*;

    async fn open() -> Mount {
        Mount::new(Arc::new(MemoryStore::new()), web::mounted).remembering(Arc::new(LocalSessions::default()))
    }

    auth_testkit::http_suite!(open: tokens, sessions);
}
