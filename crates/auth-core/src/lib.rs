//! Authentication and user management: domain values, ports, flows and rules. No SQL, no HTTP, no framework.

pub mod adapter;
pub mod device_token;
pub mod domain;
pub mod keys;
pub mod port;
pub mod refresh_token;
pub mod rules;
pub mod settings;
