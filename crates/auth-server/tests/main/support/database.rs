//! Databases, and homes with a server's store in one.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, SqliteConnection, query_scalar, raw_sql};

use super::mariadb::Mariadb;
use super::process::Home;
use super::{report, server};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
    Mariadb,
}

/// A home whose server has an empty store with its schema.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) home: Home,
    pub(crate) database: Database,
}

/// Where its store is.
#[derive(Debug)]
pub(crate) enum Database {
    /// In the home.
    File,
    Postgres(Postgres),
    Mariadb(Mariadb),
}

impl Database {
    /// The password that servers are told, if there is one.
    pub(crate) fn password(&self) -> Option<String> {
        let url = match self {
            Self::File => return None,
            Self::Postgres(database) => database.url(),
            Self::Mariadb(database) => database.url(),
        };
        password(&url)
    }
}

/// The password in the address of a server.
pub(crate) fn password(url: &str) -> Option<String> {
    let (user_and_password, _) = url.split_once("://")?.1.split_once('@')?;
    user_and_password.split_once(':').map(|(_, password)| password.to_owned())
}

/// A pepper for servers that don't make their own.
pub(crate) const PEPPER: &str = "nZ4vQ8sL1xT6yB3kW9mR5cH7jF2gD0pA";

impl Site {
    /// `None` where the run leaves that database out.
    pub(crate) async fn on(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Sqlite => {
                report("sqlite", &sqlite_version().await);
                Some(Self { home: Home::new(), database: Database::File })
            }
            Backend::Postgres => {
                let postgres = Postgres::empty().await?;
                let home = postgres.home();
                home.done(&["migrate"]);
                Some(Self { home, database: Database::Postgres(postgres) })
            }
            Backend::Mariadb => {
                let mariadb = Mariadb::empty().await?;
                let home = mariadb.home();
                home.done(&["migrate"]);
                Some(Self { home, database: Database::Mariadb(mariadb) })
            }
        }
    }

    /// With a variable for the servers.
    #[must_use]
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        Self { home: self.home.with(name, value), ..self }
    }

    /// With servers that share what is on that Redis, and is nobody else's.
    #[must_use]
    pub(crate) fn sharing(self, redis: &str) -> Self {
        let prefix = format!("test-{}:", uuid::Uuid::from_bytes(rand::random()).simple());
        self.with("REDIS_URL", redis).with("REDIS_PREFIX", &prefix)
    }

    /// As [`on`](Self::on), and without throttles: every request here comes from one address.
    pub(crate) async fn unthrottled(backend: Backend) -> Option<Self> {
        Some(Self::on(backend).await?.with("AUTH_THROTTLE", "danger_off"))
    }
}

/// A database on the test server, dropped with this.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: PgConnectOptions,
    name: String,
}

impl Postgres {
    /// `None` where the run leaves PostgreSQL out.
    pub(crate) async fn empty() -> Option<Self> {
        let url = server("postgres", "PORTCULLIS_TEST_POSTGRES")?;
        let unique = uuid::Uuid::from_bytes(rand::random()).simple();
        let database = Self { server: url.parse().unwrap(), name: format!("portcullis_{unique}") };
        let mut connection = database.server.connect().await.unwrap();
        // The unmodified template: nobody is ever connected to it, so several tests can copy it at once.
        let create = format!("create database {} template template0", database.name);
        raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
        let version: String = query_scalar("show server_version").fetch_one(&mut connection).await.unwrap();
        report("postgres", version.split(' ').next().unwrap_or_default());
        Some(database)
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    pub(crate) fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }

    /// A home whose server uses this database.
    pub(crate) fn home(&self) -> Home {
        Home::new().with("DATABASE_URL", &self.url()).with("AUTH_PEPPER", PEPPER)
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        self.options().connect().await.unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), std::mem::take(&mut self.name));
        // A test's runtime can't be waited in.
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let drop = format!("drop database {name} with (force)");
                raw_sql(AssertSqlSafe(drop)).execute(&mut server.connect().await.unwrap()).await.unwrap();
            });
        });
        dropping.join().ok();
    }
}

async fn sqlite_version() -> String {
    use sqlx::Connection;
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    query_scalar("select sqlite_version()").fetch_one(&mut connection).await.unwrap()
}

/// Each test on each backend: `mod sqlite`, `mod postgres` and `mod mariadb` with a `#[test]` for every function named; after
/// `by each library:`, the same once more in `mod by_diesel`, whose servers run with `AUTH_STORE=diesel`.
macro_rules! on_each_backend {
    (by each library: $($test:ident),* $(,)?) => {
        $crate::support::database::on_each_backend!($($test),*);
        mod by_diesel {
            $(async fn $test(backend: $crate::support::database::Backend) {
                $crate::support::by_diesel(super::$test(backend)).await;
            })*
            $crate::support::database::on_each_backend!($($test),*);
        }
    };
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::support::database::Backend::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::support::database::Backend::Postgres).await;
            })*
        }
        mod mariadb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::support::database::Backend::Mariadb).await;
            })*
        }
    };
}
pub(crate) use on_each_backend;
