//! Where everything is kept.

#[cfg(feature = "postgres")]
use std::fmt;
use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
use zeroize::Zeroizing;

use super::reader::Reader;

/// Where everything is kept.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// A file of our own.
    Sqlite {
        /// As configured.
        url: String,
        /// The file in it.
        file: PathBuf,
    },
    /// A PostgreSQL server. The address may hold a password.
    #[cfg(feature = "postgres")]
    Postgres(DatabaseUrl),
}

/// The address of a database server, password included. Doesn't print, is erased when dropped.
#[cfg(feature = "postgres")]
#[derive(Clone)]
pub(crate) struct DatabaseUrl(Zeroizing<String>);

#[cfg(feature = "postgres")]
impl DatabaseUrl {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "postgres")]
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

impl Reader {
    pub(super) fn database(&mut self) -> Database {
        const DEFAULT: &str = "sqlite://portcullis.db";
        let url = self.source.take("DATABASE_URL").unwrap_or_else(|| DEFAULT.to_owned());
        match url.split_once(':') {
            Some(("sqlite", rest)) => {
                let rest = rest.strip_prefix("//").unwrap_or(rest);
                let file = PathBuf::from(rest.split('?').next().unwrap_or_default());
                if file.as_os_str().is_empty() || file == Path::new(":memory:") || url.contains("mode=memory") {
                    self.mistake(
                        "DATABASE_URL must name a database file: what is in memory is lost at the first restart",
                    );
                }
                return Database::Sqlite { url, file };
            }
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => return Database::Postgres(DatabaseUrl(Zeroizing::new(url))),
            // The address itself may hold a password, and so may what is none.
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                self.mistake(format!("DATABASE_URL: this build has no storage for {scheme:?}"));
            }
            _ => self.mistake(format!("DATABASE_URL must be an address such as {DEFAULT}")),
        }
        Database::Sqlite { url: DEFAULT.to_owned(), file: PathBuf::from("portcullis.db") }
    }
}
