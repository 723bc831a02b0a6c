//! Both steps in a real browser, and those who would like to use the cookies from elsewhere. What happens is in the scripts
//! beside this file, which Node runs with Playwright.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "../../../axum-sessions/tests/support/browser.rs"]
mod browser;

use browser::Stage;

const STAGE: Stage = Stage {
    suite: "profile-two-step",
    program: env!("CARGO_BIN_EXE_profile-two-step"),
    script: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/main.js"),
};

// CS1, MF4
#[test]
fn cs1_tokens_in_cookies_that_no_script_reads() {
    STAGE.play("both-steps");
}

// CS3, CS4, CS5
#[test]
fn cs3_another_port_changes_nothing() {
    STAGE.play("other-port");
}

// CS1, CS3, CS4, CS5
#[test]
fn cs3_another_site_changes_nothing() {
    STAGE.play("other-site");
}
