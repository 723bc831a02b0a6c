//! What mailers write and send.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails fails its test")]

#[cfg(any(feature = "smtp", feature = "ses"))]
mod authority;
mod file;
mod given;
mod message;
#[cfg(feature = "ses")]
mod ses;
#[cfg(feature = "smtp")]
mod smtp;
mod tee;
mod templates;
