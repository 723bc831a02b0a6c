//! What the tests of every web adapter share: the HTTP suite over every SQL store, and requests to an application. Each
//! adapter's tests include this file, by `#[path]`: frameworks and drivers are theirs, and the test kit has none. The whole
//! suite, on the store in memory, is theirs too.
//!
//! Theirs is also `crate::web`, which has
//! - `SUITE`, its name in the report of `cargo xtask test`;
//! - `http_suite_on_sql`, the profiles that it takes upon itself on the SQL stores: between them, the adapters have all;
//! - `mounted`, which makes a [`Web`](auth_testkit::http::Web) of an `AuthHttp`, and `world`, a system on a store in memory;
//! - `App`, an application, and `send`, how a request reaches one;
//! - `rate_limited`, an application with limits of its own, and `listen`, a server that does nothing but the suite's.

pub(crate) mod host;
pub(crate) mod matrix;
mod mysql;
pub(crate) mod on_the_wire;
mod postgres;
pub(crate) mod rate_limit;
pub(crate) mod report;
mod sqlite;
