//! `schema print`: the schema as SQL.

use auth_schema::Dialect;
use clap::ValueEnum;

use super::say;
use crate::Failure;

/// A database's SQL, by the name that the command line takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DialectName(Dialect);

impl ValueEnum for DialectName {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Dialect::Postgres), Self(Dialect::Sqlite)]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.as_str()))
    }
}

/// Prints all migrations of a dialect as one script.
pub(crate) fn print(DialectName(dialect): DialectName, json: bool) -> Result<(), Failure> {
    let sql = auth_schema::script(dialect);
    if json {
        say(&serde_json::json!({ "dialect": dialect.as_str(), "sql": sql }).to_string());
    } else {
        say(sql.trim_end());
    }
    Ok(())
}
