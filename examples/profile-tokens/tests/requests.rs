//! `requests.http`, sent to the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use totp_rs::{Builder, Secret};

#[path = "../../profile-sessions/tests/support/requests.rs"]
mod requests;

#[test]
fn from_sign_up_to_signing_out_everywhere() {
    requests::play(env!("CARGO_BIN_EXE_profile-tokens"), include_str!("../requests.http"), shown);
}

/// What an authenticator app with that secret shows.
///
/// A code is good once, and that of the time step before is good too. So this begins with the one before, unless that is about
/// to end, and needn't wait for the next one.
fn shown(secret: &str) -> String {
    const STEP: u64 = 30;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = || UNIX_EPOCH.elapsed().unwrap().as_secs();
    let step = NEXT.load(Ordering::Relaxed).max((now() + 5) / STEP - 1);
    while now() < step * STEP {
        thread::sleep(Duration::from_millis(100));
    }
    NEXT.store(step + 1, Ordering::Relaxed);
    let secret = Secret::try_from_base32(secret).unwrap();
    Builder::new().with_secret(secret).build().unwrap().generate(step * STEP).to_string()
}
