//! `schema print`: the schema as SQL.

use auth_schema::Dialect;
use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::output::Format;
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print all migrations as one SQL script.
    Print {
        /// The database it is for.
        #[arg(long)]
        dialect: DialectName,
    },
}

/// A database's SQL, by the name that the command line takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DialectName(Dialect);

impl ValueEnum for DialectName {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Dialect::Postgres), Self(Dialect::Sqlite), Self(Dialect::Mysql)]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.as_str()))
    }
}

/// Prints all migrations of a dialect as one script.
pub(crate) fn run(command: &Command, format: Format) -> Result<(), Failure> {
    let Command::Print { dialect: DialectName(dialect) } = command;
    let sql = auth_schema::script(*dialect);
    format.print(&json!({ "dialect": dialect.as_str(), "sql": sql }), || sql.clone());
    Ok(())
}
