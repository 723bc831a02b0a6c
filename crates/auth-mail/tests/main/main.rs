//! What mailers write and send.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails fails its test")]

mod file;
mod given;
mod message;
#[cfg(feature = "smtp")]
mod smtp;
mod tee;
mod templates;
