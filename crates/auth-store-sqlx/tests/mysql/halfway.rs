//! Migrations that were cut short: MySQL has no transactions about tables.

use std::time::Duration;

use auth_core::port::StoreError;
use auth_schema::{Migration, VERSION_TABLE, migrations};
use auth_testkit::given;
use sqlx::{AssertSqlSafe, Executor, query_scalar};
use tokio::time::{sleep, timeout};

use super::{DIALECT, Database};

const UNDER_WAY: &str = "insert into auth_schema_version (version, name) values (0, 'under way')";

fn statements(migration: &Migration) -> Vec<&'static str> {
    migration.sql.split_inclusive(";\n").collect()
}

/// DF2: wherever the process died in a migration, the next run does the rest, and those that come after it.
#[tokio::test]
async fn df2_a_migration_is_finished_by_the_next_run() {
    let all = migrations(DIALECT);
    for (i, migration) in all.iter().enumerate() {
        let statements = statements(migration);
        for done in [0, 1, 3, 9, statements.len() - 1, statements.len()] {
            let Some(database) = Database::empty().await else { return };
            database.execute(VERSION_TABLE).await;
            for before in &all[..i] {
                database.execute(&before.script()).await;
            }
            database.execute(UNDER_WAY).await;
            for statement in &statements[..done] {
                database.execute(statement).await;
            }

            let store = database.open().await;
            assert_eq!(store.check_schema().await.unwrap().len(), all.len() - i, "{done}");
            assert_eq!(store.migrate().await.unwrap().len(), all.len() - i, "{done}");
            given::registered(&store).await;
            let versions = database.number("select count(*) from auth_schema_version").await;
            assert_eq!(usize::try_from(versions).unwrap(), all.len(), "{done}");
            assert_eq!(database.number("select count(*) from auth_epoch").await, 1, "{done}");
        }
    }
}

/// A table of that name that isn't ours stays as it is, however often one tries.
#[tokio::test]
async fn a_table_of_somebody_elses_is_an_error() {
    let Some(database) = Database::empty().await else { return };
    database.execute("create table auth_sessions (theirs bigint)").await;
    let store = database.open().await;
    for _ in 0..2 {
        let outcome = store.migrate().await;
        let Err(StoreError::Failed { source, .. }) = outcome else { panic!("{outcome:?}") };
        assert!(source.to_string().contains("already exists"), "{source}");
        assert_eq!(database.number("select count(*) from auth_schema_version").await, 0);
    }
    assert_eq!(database.number("select count(*) from auth_sessions where theirs is null").await, 0);
}

/// A node that fails to migrate doesn't keep the others from it.
#[tokio::test]
async fn the_lock_ends_with_the_attempt() {
    let Some(database) = Database::empty().await else { return };
    database.execute("create table auth_users (theirs bigint)").await;
    let (failing, next) = (database.open().await, database.open().await);
    failing.migrate().await.unwrap_err();
    database.execute("drop table auth_users").await;

    assert_eq!(next.migrate().await.unwrap().len(), migrations(DIALECT).len());
}

/// Whoever is migrating another database of the same server is in nobody's way.
#[tokio::test]
async fn each_database_is_migrated_for_itself() {
    let (Some(database), Some(other)) = (Database::empty().await, Database::empty().await) else { return };
    let mut holder = other.connection().await;
    let lock = "select get_lock(left(concat('auth_schema.', database()), 64), 0)";
    let held: i64 = query_scalar(AssertSqlSafe(lock)).fetch_one(&mut holder).await.unwrap();
    assert_eq!(held, 1);

    let waiting = other.open().await;
    let waiting = tokio::spawn(async move { waiting.migrate().await.unwrap().len() });
    let queue = "select count(*) from information_schema.processlist where db = database() and state = 'User lock'";
    let queued = async {
        while other.number(queue).await == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), queued).await.expect("it is that lock that they wait for");
    let all = migrations(DIALECT).len();
    assert_eq!(database.open().await.migrate().await.unwrap().len(), all);
    holder.execute("do release_all_locks()").await.unwrap();
    assert_eq!(waiting.await.unwrap(), all);
}
