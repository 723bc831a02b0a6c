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

fn server() -> Option<String> {
    report::server("redis", "PORTCULLIS_TEST_REDIS")
}
