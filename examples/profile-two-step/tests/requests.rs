//! `requests.http`, sent to the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "../../profile-sessions/tests/support/requests.rs"]
mod requests;

#[test]
fn from_sign_up_to_signing_out_everywhere() {
    requests::play(env!("CARGO_BIN_EXE_profile-two-step"), include_str!("../requests.http"), |_| unreachable!());
}
