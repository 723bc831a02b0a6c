//! The page in a real browser, and those who attack its visitors from elsewhere. What happens is in the scripts beside
//! this file, which Node runs with Playwright.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "../support/browser.rs"]
mod browser;

// EN8, CS1, SE2, SE6
#[test]
fn en8_an_account_from_sign_up_to_sign_out() {
    play("account");
}

// VT3, VT7, VT8, VT9
#[test]
fn vt8_the_pages_for_links_in_mail_without_javascript() {
    play("mail-pages");
}

// CS2, CS3, CS4, CS5
#[test]
fn cs3_another_port_changes_nothing() {
    play("other-port");
}

// CS1, CS3, CS4, CS5
#[test]
fn cs3_another_site_changes_nothing() {
    play("other-site");
}

fn play(scene: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/main.js");
    let stage = browser::Stage { suite: "axum-sessions", program: env!("CARGO_BIN_EXE_axum-sessions"), script };
    stage.play(scene);
}
