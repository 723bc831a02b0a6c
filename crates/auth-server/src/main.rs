//! Portcullis as a ready-made authentication service, and its command line.

mod command;
mod config;
mod log;
mod pepper_file;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Source};

/// Authentication and user management for web applications.
#[derive(Debug, Parser)]
#[command(
    name = "auth-server",
    version,
    after_help = "Configuration is read from the environment, from .env and from --config; .env.example lists all settings."
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

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests (what happens without a command).
    Serve {
        /// Development: mail goes to the console and MAIL_DIR, whatever else is configured; loopback only.
        #[arg(long)]
        dev: bool,
    },
    /// Bring the database's schema up to date.
    Migrate,
    /// Show the schema, for teams that own their migrations.
    Schema {
        #[command(subcommand)]
        command: SchemaCommand,
    },
}

#[derive(Debug, Subcommand)]
enum SchemaCommand {
    /// Print all migrations as one SQL script.
    Print {
        /// The database it is for.
        #[arg(long)]
        dialect: command::schema::DialectName,
    },
}

/// Why a command failed. Shown to whoever started it, with all causes.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut message = format!("auth-server: {failure}");
            let mut cause = failure.source();
            while let Some(error) = cause {
                message.push_str(&format!(": {error}"));
                cause = error.source();
            }
            command::complain(&message);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { config: file, json, command } = arguments;
    let command = command.unwrap_or(Command::Serve { dev: false });
    // Needs no configuration, and must work before there is one.
    if let Command::Schema { command: SchemaCommand::Print { dialect } } = command {
        return command::schema::print(dialect, json);
    }
    let source = Source::read(file.as_deref());
    let is_dev = matches!(command, Command::Serve { dev: true });
    let config = Config::parse(if is_dev { source.for_development() } else { source })?;
    log::start(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        match command {
            Command::Serve { .. } => command::serve::run(config).await,
            Command::Migrate => command::migrate::run(&config, json).await,
            Command::Schema { .. } => Ok(()),
        }
    })
}
