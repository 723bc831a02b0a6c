//! Authentication and user management: domain values, ports, flows and rules. No SQL, no HTTP, no framework.

pub mod domain;
pub mod port;
