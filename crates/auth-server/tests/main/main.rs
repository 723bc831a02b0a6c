//! The server as its users meet it: processes, sockets, files, databases and mail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![allow(clippy::print_stdout, reason = "what a failed test prints is for whoever reads of it")]

mod commands;
mod configuration;
mod database_outage;
mod doctor;
mod kill;
mod many_nodes;
mod metrics;
mod overload;
mod quick_start;
mod races;
mod schemathesis;
mod secrets;
mod ses;
mod shutdown;
mod smtp_outage;
mod spans;
mod statements;
mod support;
