use std::process::ExitCode;

use rustix::process::Signal;

use crate::apt::Apt;
use crate::backend;
use crate::error::Error;
use crate::process::{Group, Interrupt};
use crate::workspace::cargo;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Leave PostgreSQL out, instead of starting one.
    #[arg(long)]
    no_postgres: bool,
    /// Fail where PostgreSQL is missing, instead of installing it.
    #[arg(long)]
    no_install: bool,
    /// Only the cases whose name contains this.
    #[arg(default_value = "")]
    case: String,
}

/// Measures what Portcullis costs, optimised, beside a fresh PostgreSQL, and prints tables in Markdown.
///
/// # Errors
/// If PostgreSQL can't be had, or the run is interrupted.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let interrupt = Interrupt::watch()?;
    let postgres = if options.no_postgres {
        None
    } else {
        Some(backend::start(backend::POSTGRES, &mut Apt::new(!options.no_install), &interrupt)?)
    };
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "--package", "benches", "--", &options.case]);
    command.env_remove("PORTCULLIS_TEST_POSTGRES");
    command.envs(postgres.iter().flat_map(|postgres| postgres.environment.clone()));
    let status = Group::spawn(&mut command, Signal::TERM)?.wait(&interrupt)?;
    interrupt.check()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
