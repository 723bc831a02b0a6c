//! Where sessions are remembered on Redis, everything holds all the same.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use auth_cache_redis::{Redis, RedisSessions, RedisUrl};
use auth_testkit::http::Mount;
use auth_testkit::{MemoryStore, given};

use crate::adapters::report;
use crate::web;

async fn open() -> Option<Mount> {
    let url = RedisUrl::parse(&server()?).unwrap();
    let prefix = format!("test-{}:", given::id::<uuid::Uuid>().simple());
    // As long as a busy machine may take: what is asked of the store doesn't depend on it.
    let redis = Redis::with_patience(&url, &prefix, Duration::from_secs(20)).unwrap();
    // Nor on how long a check takes.
    let sessions = RedisSessions::new(redis).with_lifetime(Duration::from_secs(600));
    Some(Mount::new(Arc::new(MemoryStore::new()), web::mounted).remembering(Arc::new(sessions)))
}

auth_testkit::http_suite!(open: tokens, sessions);

#[test]
fn reports_what_it_ran_against() {
    if server().is_some() {
        let said = Command::new("redis-server").arg("--version").output().unwrap().stdout;
        let said = String::from_utf8(said).unwrap();
        let version = said.split_whitespace().find_map(|word| word.strip_prefix("v="));
        report::suite_ran_against("redis", version.unwrap());
    }
}

/// The server; `None` where the run leaves it out. One that is neither given nor left out fails the test: nobody should
/// believe that it was tried.
fn server() -> Option<String> {
    let skipped = std::env::var("PORTCULLIS_SKIP").unwrap_or_default();
    if skipped.split(',').any(|name| name.trim() == "redis") {
        return None;
    }
    Some(std::env::var("PORTCULLIS_TEST_REDIS").unwrap_or_else(|_| {
        panic!("PORTCULLIS_TEST_REDIS isn't set: run `cargo xtask test`, or set it, or put redis into PORTCULLIS_SKIP")
    }))
}
