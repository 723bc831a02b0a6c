//! What Portcullis costs, as ratios to what it is built on, measured in one run: absolute figures don't travel from one
//! machine to another. `cargo xtask bench` runs it; `docs/src/performance.md` says what the figures mean.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod case;
mod client;
mod core;
mod cpu;
mod database;
mod guard;
mod sign_in;

use std::error::Error;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures everything; with an argument, only the cases whose name contains it.
fn main() -> Outcome<()> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    // Its memory is measured too, so it has a process of its own.
    if wanted == sign_in::CHILD {
        return sign_in::serve();
    }
    guard::run(&wanted)?;
    if "sign-in".contains(&wanted) {
        sign_in::run()?;
    }
    Ok(())
}
