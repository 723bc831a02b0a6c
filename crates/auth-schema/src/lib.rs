//! The SQL schema of Portcullis as data: numbered migrations for each dialect.
//!
//! - Every name begins with `auth_`, so the tables can live in an application's own database.
//! - A migration that was released never changes; what comes later is a migration of its own.
//! - The stores run the migrations with their feature `migrate`; a team that owns its migrations exports [`script`], or
//!   each [`Migration::script`], into its own tool. Either way the table `auth_schema_version` says what was applied.
//!
//! ```
//! use auth_schema::{Dialect, script};
//!
//! assert!(script(Dialect::Sqlite).contains("create table auth_users"));
//! ```

use std::fmt;

/// A database's variety of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// PostgreSQL 13 or later.
    Postgres,
    /// SQLite 3.37 or later: the tables are `strict`.
    Sqlite,
    /// MariaDB 10.6 or later, MySQL 8.0.16 or later: those before don't check constraints.
    Mysql,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: &'static [Self] = &[Self::Postgres, Self::Sqlite, Self::Mysql];

    /// The word for configuration and command lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::Mysql => "mysql",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|dialect| dialect.as_str() == text)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One step of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Counts up from 1 without gaps.
    pub version: u32,
    /// What the step brings, in one word.
    pub name: &'static str,
    /// Its statements, each up to a semicolon at the end of a line.
    pub sql: &'static str,
}

impl Migration {
    /// The statements, and the one that notes in `auth_schema_version` that they ran.
    pub fn script(&self) -> String {
        let Self { version, name, sql } = self;
        format!("{sql}\ninsert into auth_schema_version (version, name) values ({version}, '{name}');\n")
    }
}

/// Version and name, as in `0001_accounts`.
impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}_{}", self.version, self.name)
    }
}

/// Makes the table that says which migrations were applied. Does nothing where there is one.
pub const VERSION_TABLE: &str = "create table if not exists auth_schema_version (
    version bigint not null primary key,
    name    varchar(100) not null
);
";

/// The migrations of `dialect`, oldest first.
pub const fn migrations(dialect: Dialect) -> &'static [Migration] {
    match dialect {
        Dialect::Postgres => &POSTGRES,
        Dialect::Sqlite => &SQLITE,
        Dialect::Mysql => &MYSQL,
    }
}

/// The migrations of `dialect` that aren't among the versions `applied`, oldest first.
///
/// Those of a later version than this one knows are passed over: during a deployment, old nodes run beside new ones.
pub fn missing(dialect: Dialect, applied: &[u32]) -> Vec<&'static Migration> {
    migrations(dialect).iter().filter(|migration| !applied.contains(&migration.version)).collect()
}

static POSTGRES: [Migration; 2] = [
    step(1, "accounts", include_str!("../migrations/0001_accounts/postgres.sql")),
    step(2, "second_factors", include_str!("../migrations/0002_second_factors/postgres.sql")),
];
static SQLITE: [Migration; 2] = [
    step(1, "accounts", include_str!("../migrations/0001_accounts/sqlite.sql")),
    step(2, "second_factors", include_str!("../migrations/0002_second_factors/sqlite.sql")),
];
static MYSQL: [Migration; 2] = [
    step(1, "accounts", include_str!("../migrations/0001_accounts/mysql.sql")),
    step(2, "second_factors", include_str!("../migrations/0002_second_factors/mysql.sql")),
];

const fn step(version: u32, name: &'static str, sql: &'static str) -> Migration {
    Migration { version, name, sql }
}

/// The whole schema of `dialect` as one script for an empty database, `auth_schema_version` included.
pub fn script(dialect: Dialect) -> String {
    migrations(dialect).iter().fold(VERSION_TABLE.to_owned(), |script, migration| script + "\n" + &migration.script())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One schema, told in several dialects: they differ in the names of types and in table options only.
    #[test]
    fn dialects_tell_the_same_schema() {
        let neutral = |dialect: Dialect, words: &[(&str, &str)]| {
            words.iter().fold(script(dialect), |text, (from, to)| text.replace(from, to)).replace(' ', "")
        };
        let postgres = neutral(
            Dialect::Postgres,
            &[(" uuid", " blob"), (" bytea", " blob"), (" bigint", " integer"), (" collate \"C\"", "")],
        );
        let sqlite = neutral(
            Dialect::Sqlite,
            &[(" bigint", " integer"), (") strict, without rowid;", ");"), (") strict;", ");")],
        );
        assert_eq!(postgres, sqlite);

        const TABLE: &str = ") engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;";
        let texts = [" varchar(254)", " varchar(64)", " varchar(45)", " varbinary(254)"].map(|text| (text, " text"));
        let bytes =
            [" binary(16)", " varbinary(40)", " varbinary(32)", " varbinary(16)", " varbinary(8)", " mediumblob"];
        let words =
            [&texts[..], &bytes.map(|bytes| (bytes, " blob")), &[(" bigint", " integer"), (TABLE, ");")]].concat();
        let header = "-- Texts compare byte by byte";
        let mysql = script(Dialect::Mysql);
        assert_eq!(mysql.matches("create table auth_").count(), mysql.matches(TABLE).count());
        let (before, notes) = mysql.split_once(header).unwrap();
        let rest = notes.split_once("\n-- Times").unwrap().1;
        let mysql = references_beside_columns(&format!("{before}-- Times{rest}"));
        let mysql = words.iter().fold(mysql, |text, (from, to)| text.replace(from, to)).replace(' ', "");
        assert_eq!(mysql, sqlite);
    }

    /// MySQL takes no notice of a `references` beside its column, so foreign keys stand at the end of their table.
    fn references_beside_columns(script: &str) -> String {
        let mut tables = Vec::new();
        for table in script.split("\n\n") {
            let (keys, rest): (Vec<_>, Vec<_>) = table.lines().partition(|line| line.contains(" foreign key ("));
            let mut table = rest.join("\n").replace(",\n)", "\n)");
            for key in keys {
                let (column, references) = key.split_once(" foreign key (").unwrap().1.split_once(") ").unwrap();
                let (begin, definition) = table.split_once(&format!("\n    {column} ")).unwrap();
                let (definition, end) = definition.split_once(",\n").unwrap();
                let references = references.trim_end_matches(',');
                table = format!("{begin}\n    {column} {definition} {references},\n{end}");
            }
            tables.push(table);
        }
        tables.join("\n\n") + "\n"
    }

    #[test]
    fn versions_count_up_and_names_carry_the_prefix() {
        for &dialect in Dialect::ALL {
            for (migration, version) in migrations(dialect).iter().zip(1..) {
                assert_eq!(migration.version, version, "{dialect}");
            }
            let script = script(dialect);
            let names = ["create table if not exists ", "create table ", "create index ", "constraint "]
                .into_iter()
                .flat_map(|words| script.split(words).skip(1))
                .map(|rest| rest.split_whitespace().next().unwrap_or_default());
            for name in names.filter(|name| *name != "if") {
                assert!(name.starts_with("auth_"), "{dialect}: {name}");
            }
        }
    }

    #[test]
    fn dialects_have_one_word_each() {
        for &dialect in Dialect::ALL {
            assert_eq!(Dialect::parse(dialect.as_str()), Some(dialect));
        }
        assert_eq!(Dialect::parse("oracle"), None);
    }
}
