//! `keys`: what signs access tokens.

use auth_core::Signing;
use auth_core::flow::signing_keys;
use clap::Subcommand;
use serde_json::json;

use super::output::Format;
use super::{context, core};
use crate::Failure;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new key, which signs from now on. Earlier ones verify until the last token they signed has expired.
    Rotate,
    /// Seal the keys under the current pepper, so that an old one can go.
    Reseal,
}

pub(crate) async fn run(config: Config, command: Command, format: Format) -> Result<(), Failure> {
    let is_ours = matches!(config.signing, Signing::Stored);
    match command {
        Command::Rotate if !is_ours => {
            return Err("access tokens are signed with JWT_SECRET or JWT_KEY_FILE: change that, and restart".into());
        }
        Command::Rotate => {
            let kid = signing_keys::rotate(&*core(config).await?, &context()).await?;
            format.print(&json!({ "kid": kid }), || format!("{kid} signs from now on"));
        }
        Command::Reseal => {
            let keys = signing_keys::reseal(&*core(config).await?, &context()).await?;
            format.print(&json!({ "resealed": keys }), || match keys {
                0 => "all keys are sealed under the current pepper already".to_owned(),
                1 => "1 key was sealed anew".to_owned(),
                keys => format!("{keys} keys were sealed anew"),
            });
        }
    }
    Ok(())
}
