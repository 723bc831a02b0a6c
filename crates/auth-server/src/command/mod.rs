//! What `auth-server` can be told to do: one file a command or group of commands.

mod account;
pub(crate) mod audit;
pub(crate) mod doctor;
pub(crate) mod keys;
pub(crate) mod mail;
pub(crate) mod migrate;
pub(crate) mod output;
mod page;
pub(crate) mod role;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod sessions;
mod table;
pub(crate) mod user;
mod user_import;

use std::sync::Arc;

use auth_core::Auth;
use auth_core::adapter::SystemClock;
use auth_core::domain::Context;
use clap::Subcommand;

use crate::config::Config;
use crate::service::core::Use;
use crate::{Failure, service};

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
    /// Make accounts, look at them, suspend and reactivate them.
    User {
        #[command(subcommand)]
        command: user::Command,
    },
    /// Grant and revoke roles.
    Role {
        #[command(subcommand)]
        command: role::Command,
    },
    /// End sessions.
    Sessions {
        #[command(subcommand)]
        command: sessions::Command,
    },
    /// Change the keys that sign access tokens.
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Read the audit log.
    Audit {
        #[command(subcommand)]
        command: audit::Command,
    },
    /// Look at outgoing mail, and send again what was given up.
    Mail {
        #[command(subcommand)]
        command: mail::Command,
    },
    /// Look for weak settings, and for what the server needs and can't reach; fails when there is an error.
    Doctor,
}

/// The core, for a command. Servers may be running on the same store.
async fn core(config: Config) -> Result<Arc<Auth>, Failure> {
    let bound = config.listen.to_string();
    Ok(service::core::open(config, &bound, Arc::new(SystemClock::new()), Use::Command).await?.auth)
}

/// Who does what a command does, for the audit log: nobody who came over the network.
fn context() -> Context {
    Context::new(None, Some("auth-server"), None)
}
