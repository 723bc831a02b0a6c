//! The page in a real browser. What happens is in the script beside this file, which Node runs with Playwright.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "../../../axum-sessions/tests/support/browser.rs"]
mod browser;

use browser::Stage;

const STAGE: Stage = Stage {
    suite: "profile-service",
    program: env!("CARGO_BIN_EXE_profile-service"),
    script: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/main.js"),
};

#[test]
fn an_account_from_sign_up_to_signing_out_everywhere() {
    STAGE.play("account");
}
