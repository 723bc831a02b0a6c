//! `migrate`: brings the database's schema up to date.

use serde_json::json;

use super::output::Format;
use crate::config::Config;
use crate::{Failure, service};

/// Applies the migrations that are missing, and says which.
pub(crate) async fn run(config: &Config, format: Format) -> Result<(), Failure> {
    let applied = service::database::open(config).await?.bring_up_to_date().await?;
    let names: Vec<String> = applied.iter().map(ToString::to_string).collect();
    format.print(&json!({ "applied": names }), || match &names[..] {
        [] => "the schema is up to date".to_owned(),
        names => names.iter().map(|name| format!("applied {name}\n")).collect(),
    });
    Ok(())
}
