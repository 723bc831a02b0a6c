//! `role`: who may do what.

use auth_core::domain::Role;
use auth_core::flow::{Actor, roles, users};
use auth_http::reply;
use clap::{Args, Subcommand};
use serde_json::json;

use super::account::{self, Account};
use super::output::Format;
use super::{context, core, user};
use crate::Failure;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give a user a role, from their next request on.
    Grant(Which),
    /// Take a role from a user, from their next request on. The last administrator stays one.
    Revoke(Which),
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Their address or id.
    user: Account,
    /// The role; a name that nobody has held yet is fine.
    #[arg(value_parser = account::role)]
    role: Role,
}

pub(crate) async fn run(config: Config, command: Command, format: Format) -> Result<(), Failure> {
    let auth = core(config).await?;
    let (Command::Grant(which) | Command::Revoke(which)) = &command;
    let user = which.user.user(&auth, &context()).await?.id;
    let role = which.role.clone();
    match command {
        Command::Grant(_) => roles::grant(&auth, Actor::Operator, user, role, &context()).await?,
        Command::Revoke(_) => roles::revoke(&auth, Actor::Operator, user, role, &context()).await?,
    }
    let user = users::show(&auth, Actor::Operator, user, &context()).await?;
    format
        .print(&json!({ "user": reply::User::from(&user) }), || format!("{} holds {}", user.email, user::roles(&user)));
    Ok(())
}
