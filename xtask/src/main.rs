//! Developer commands: `cargo xtask test` runs every suite against real servers, `cargo xtask features` checks each
//! feature of each crate alone, `cargo xtask requirements` writes down which tests show which requirement.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod apt;
#[cfg(test)]
mod documentation;
mod error;
mod features;
#[cfg(test)]
mod invariants;
mod pip;
mod process;
mod report;
mod requirements;
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
    /// Writes the tests that name a requirement into the page of requirements.
    Requirements(requirements::Options),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Test(options) => test::run(&options),
        Command::Features => features::run(),
        Command::Requirements(options) => requirements::run(&options),
    };
    result.unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        error.exit_code()
    })
}
