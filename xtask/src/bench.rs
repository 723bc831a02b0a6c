use std::process::ExitCode;

use rustix::process::Signal;

use crate::apt::Apt;
use crate::backend;
use crate::error::Error;
use crate::process::{Group, Interrupt};
use crate::workspace::cargo;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Leave PostgreSQL and Redis out, instead of starting them.
    #[arg(long)]
    no_servers: bool,
    /// Fail where one of them is missing, instead of installing it.
    #[arg(long)]
    no_install: bool,
    /// Only the cases whose name contains this.
    #[arg(default_value = "")]
    case: String,
}

/// Measures what Portcullis costs, optimised, beside a fresh PostgreSQL and Redis, and prints tables in Markdown.
///
/// # Errors
/// If one of them can't be had, or the run is interrupted.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let interrupt = Interrupt::watch()?;
    let mut apt = Apt::new(!options.no_install);
    let wanted = if options.no_servers { &[][..] } else { &[backend::POSTGRES, backend::REDIS] };
    let servers: Vec<_> =
        wanted.iter().map(|server| backend::start(*server, &mut apt, &interrupt)).collect::<Result<_, _>>()?;
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "--package", "benches", "--", &options.case]);
    command.env_remove("PORTCULLIS_TEST_POSTGRES").env_remove("PORTCULLIS_TEST_REDIS");
    command.envs(servers.iter().flat_map(|server| server.environment.clone()));
    let status = Group::spawn(&mut command, Signal::TERM)?.wait(&interrupt)?;
    interrupt.check()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
