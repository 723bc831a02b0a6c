//! Developer commands: `cargo xtask test` runs every suite against real servers, `cargo xtask features` checks each
//! feature of each crate alone.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod apt;
mod error;
mod features;
#[cfg(test)]
mod invariants;
mod pip;
mod process;
mod report;
mod runner;
mod server;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// Developer commands of the Portcullis workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Runs all tests, against private PostgreSQL, SMTP and SES servers that live as long as the run.
    Test(test::Options),
    /// Checks that each crate builds without features, and with each of its features alone.
    Features,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Test(options) => test::run(&options),
        Command::Features => features::run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        error.exit_code()
    })
}
