//! Authentication and user management: domain values, ports, flows and rules. No SQL, no HTTP, no framework.

pub mod access_token;
pub mod adapter;
mod auth;
mod csrf_token;
pub mod device_token;
pub mod domain;
pub mod flow;
pub mod keys;
pub mod port;
pub mod refresh_token;
pub mod rules;
pub mod settings;
mod start;
pub mod totp;
pub mod workers;

pub use auth::{Auth, Fault};
pub use start::{Parts, Signing, StartError};
