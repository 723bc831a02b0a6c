//! Portcullis as a ready-made authentication service, and its command line.

mod command;
mod config;
mod doctor;
mod log;
mod metrics;
mod pepper_file;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::command::Command;
use crate::command::output::{Format, complain};
use crate::config::{Config, Source};

/// Authentication and user management for web applications.
#[derive(Debug, Parser)]
#[command(
    name = "auth-server",
    version,
    after_help = "Configuration is read from the environment, from .env and from --config; .env.example lists all settings.\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
struct Arguments {
    /// A TOML file with settings; the environment wins over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Why a command failed. Shown to whoever started it, with all causes.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&format!("auth-server: {}", with_causes(&*failure)));
            ExitCode::FAILURE
        }
    }
}

/// An error with all that caused it, in one line.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { config: file, json, command } = arguments;
    let format = if json { Format::Json } else { Format::Text };
    let command = command.unwrap_or(Command::Serve { dev: false });
    // Needs no configuration, and must work before there is one.
    if let Command::Schema { command } = command {
        return command::schema::run(&command, format);
    }
    let source = Source::read(file.as_deref());
    let source = if matches!(command, Command::Serve { dev: true }) { source.for_development() } else { source };
    let config = Config::parse(source);
    // What is wrong with the configuration is among what that looks for.
    if matches!(command, Command::Doctor) {
        return block_on(command::doctor::run(config, file.as_deref(), format));
    }
    let config = config?;
    log::start(&config.log)?;
    block_on(async {
        match command {
            Command::Serve { .. } => command::serve::run(config).await,
            Command::Migrate => command::migrate::run(&config, format).await,
            Command::User { command } => command::user::run(config, command, format).await,
            Command::Role { command } => command::role::run(config, command, format).await,
            Command::Sessions { command } => command::sessions::run(config, command, format).await,
            Command::Keys { command } => command::keys::run(config, command, format).await,
            Command::Audit { command } => command::audit::run(config, command, format).await,
            Command::Mail { command } => command::mail::run(config, command, format).await,
            Command::Schema { .. } | Command::Doctor => Ok(()),
        }
    })
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
