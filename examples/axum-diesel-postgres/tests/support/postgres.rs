//! Databases on the test server, for the smoke tests of the examples that need one: each includes this file.

use diesel_async::SimpleAsyncConnection as _;
use portcullis::diesel::postgres::{Pool, manager};

/// A database on the test server: the server is thrown away after the run, and this with it.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// `None` where the run leaves PostgreSQL out.
    pub(crate) async fn new(what_for: &str) -> Option<Self> {
        let skipped = std::env::var("PORTCULLIS_SKIP").unwrap_or_default();
        if skipped.split(',').any(|name| name.trim() == "postgres") {
            return None;
        }
        let server = std::env::var("PORTCULLIS_TEST_POSTGRES")
            .expect("PORTCULLIS_TEST_POSTGRES: run `cargo xtask test`, or put postgres into PORTCULLIS_SKIP");
        let name = format!("{what_for}_{}", std::process::id());
        let pool = Pool::builder(manager(&server).unwrap()).max_size(1).build().unwrap();
        let create = format!("create database {name} template template0");
        pool.get().await.unwrap().batch_execute(&create).await.unwrap();
        Some(Self { server, name })
    }

    pub(crate) fn url(&self) -> String {
        let (server, parameters) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (scheme, rest) = server.split_once("://").unwrap();
        let authority = rest.split('/').next().unwrap();
        format!("{scheme}://{authority}/{}?{parameters}", self.name)
    }
}
