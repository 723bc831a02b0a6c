//! Developer commands: `cargo xtask test` runs every suite against real servers and a real browser, `cargo xtask features` checks each
//! feature alone, `cargo xtask package` checks what would be published, `cargo xtask requirements` writes down which tests show which requirement,
//! `cargo xtask bench` measures what they cost.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod apt;
mod backend;
mod bench;
#[cfg(test)]
mod documentation;
mod error;
mod features;
#[cfg(test)]
mod invariants;
mod npm;
mod package;
mod pip;
mod process;
mod report;
mod requirements;
mod runner;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// Developer commands of the Portcullis workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Runs all tests, with a browser and against private PostgreSQL, MariaDB, Redis, SMTP and SES servers that live as long as the run.
    Test(test::Options),
    /// Checks that the crates build without features, and with each feature alone.
    Features(features::Options),
    /// Packs every crate that is published, and checks the packages.
    Package(package::Options),
    /// Writes the tests that name a requirement into the page of requirements.
    Requirements(requirements::Options),
    /// Measures what Portcullis costs, as ratios to what it is built on, beside a private PostgreSQL.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Test(options) => test::run(&options),
        Command::Features(options) => features::run(&options),
        Command::Package(options) => package::run(&options),
        Command::Requirements(options) => requirements::run(&options),
        Command::Bench(options) => bench::run(&options),
    };
    result.unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        error.exit_code()
    })
}
