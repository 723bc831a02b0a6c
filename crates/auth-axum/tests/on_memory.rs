//! On the store in memory.

use std::sync::Arc;

use auth_testkit::MemoryStore;
use auth_testkit::http::Mount;

use crate::web;

async fn open() -> Mount {
    Mount::new(Arc::new(MemoryStore::new()), web::axum)
}

auth_testkit::http_suite!(open);
