//! Second steps, and proving again who one is, in a real browser. What happens is in the scripts beside this file, which Node
//! runs with Playwright.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "../../../axum-sessions/tests/support/browser.rs"]
mod browser;
#[path = "../support/editor.rs"]
mod editor;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::routing::post;
use browser::Stage;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const STAGE: Stage = Stage {
    suite: "profile-sessions",
    program: env!("CARGO_BIN_EXE_profile-sessions"),
    script: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/main.js"),
};

// MF4
#[test]
fn mf4_a_mailed_code_signs_in_once() {
    STAGE.play("mailed-code");
}

// MF1, MF5
#[test]
fn mf1_an_app_signs_in_and_so_does_a_recovery_code() {
    STAGE.play("app");
}

// MF7, SE2
#[test]
fn mf7_whoever_was_away_proves_again_who_they_are() {
    let runtime = Runtime::new().unwrap();
    let origin = runtime.block_on(serve());
    // Nobody is mailed anything.
    STAGE.play_at(&origin, Path::new("mail"), "step-up");
}

/// Serves the application, where each request to `/later` says that eleven minutes have gone by.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (app, clock) = editor::application(&origin).await;
    let app = app.route("/later", post(async move || clock.advance(Duration::from_secs(11 * 60))));
    tokio::spawn(async { axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await });
    origin
}
