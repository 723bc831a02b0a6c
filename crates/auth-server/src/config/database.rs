//! Where everything is kept.

#[cfg(any(feature = "mysql", feature = "postgres"))]
use std::fmt;
use std::path::{Path, PathBuf};

#[cfg(any(feature = "mysql", feature = "postgres"))]
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
    /// A MySQL or MariaDB server. The address may hold a password.
    #[cfg(feature = "mysql")]
    Mysql(DatabaseUrl),
}

impl Database {
    /// The file of our own, unless everything is on a server of its operators'.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite { file, .. } => Some(file),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => None,
        }
    }

    /// The server's address.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) const fn url(&self) -> Option<&DatabaseUrl> {
        match self {
            Self::Sqlite { .. } => None,
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Some(url),
            #[cfg(feature = "mysql")]
            Self::Mysql(url) => Some(url),
        }
    }

    /// What its users call it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "PostgreSQL",
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => "MySQL and MariaDB",
        }
    }
}

/// The address of a database server, password included. Doesn't print, is erased when dropped.
#[cfg(any(feature = "mysql", feature = "postgres"))]
#[derive(Clone)]
pub(crate) struct DatabaseUrl(Zeroizing<String>);

#[cfg(any(feature = "mysql", feature = "postgres"))]
impl DatabaseUrl {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// What speaks to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Library {
    Sqlx,
    #[cfg(feature = "diesel")]
    Diesel,
}

impl Library {
    /// Those that are built in, by the word for each. The first is the default.
    const BUILT: &[(&str, Self)] = &[
        ("sqlx", Self::Sqlx),
        #[cfg(feature = "diesel")]
        ("diesel", Self::Diesel),
    ];
}

impl Reader {
    pub(super) fn library(&mut self) -> Library {
        self.built("AUTH_STORE", Library::BUILT)
    }

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
            #[cfg(feature = "mysql")]
            Some(("mysql" | "mariadb", _)) => return Database::Mysql(DatabaseUrl(Zeroizing::new(url))),
            // The address itself may hold a password, and so may what is none.
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                self.mistake(format!("DATABASE_URL: this build has no storage for {scheme:?}"));
            }
            _ => self.mistake(format!("DATABASE_URL must be an address such as {DEFAULT}")),
        }
        Database::Sqlite { url: DEFAULT.to_owned(), file: PathBuf::from("portcullis.db") }
    }
}
