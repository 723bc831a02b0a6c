//! `sessions`: ending them.

use auth_core::flow::users;
use clap::Subcommand;
use serde_json::json;

use super::output::Format;
use super::{context, core};
use crate::Failure;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// End every session of every user: after a backup was restored, which brings ended ones back to life.
    RevokeAll,
}

pub(crate) async fn run(config: Config, command: Command, format: Format) -> Result<(), Failure> {
    let Command::RevokeAll = command;
    users::end_all_sessions(&*core(config).await?, &context()).await?;
    format.print(&json!({}), || "every session of every user is ended".to_owned());
    Ok(())
}
