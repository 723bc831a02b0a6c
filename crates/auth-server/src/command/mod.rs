//! What `auth-server` can be told to do: one file a command or group of commands.

pub(crate) mod doctor;
pub(crate) mod migrate;
pub(crate) mod output;
pub(crate) mod schema;
pub(crate) mod serve;

use clap::Subcommand;

/// What the command line can ask for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
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
        command: schema::Command,
    },
    /// Look for weak settings, and for what the server needs and can't reach; fails when there is an error.
    Doctor,
}
