//! `migrate`: brings the database's schema up to date.

use super::say;
use crate::config::Config;
use crate::{Failure, service};

/// Applies the migrations that are missing, and says which.
pub(crate) async fn run(config: &Config, json: bool) -> Result<(), Failure> {
    let applied = service::database::open(&config.database).await?.bring_up_to_date().await?;
    let names: Vec<String> = applied.iter().map(ToString::to_string).collect();
    if json {
        say(&serde_json::json!({ "applied": names }).to_string());
    } else if names.is_empty() {
        say("the schema is up to date");
    } else {
        names.iter().for_each(|name| say(&format!("applied {name}")));
    }
    Ok(())
}
