//! Migrating, and finding out what is missing.

use auth_core::domain::{Email, Factors};
use auth_core::port::Users;
use auth_schema::{VERSION_TABLE, migrations, script};
use futures_util::future::join_all;

use super::super::{DIALECT, Database, RANDOM_ID};

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() {
    let Some(database) = Database::empty().await else { return };
    let store = database.open().await;
    let all: Vec<_> = migrations(DIALECT).iter().collect();

    assert_eq!(store.check_schema().await.unwrap(), all);
    assert_eq!(store.migrate().await.unwrap(), all);
    assert!(store.check_schema().await.unwrap().is_empty());
    assert!(store.migrate().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_nodes_that_start_at_once_one_migrates() {
    let Some(database) = Database::empty().await else { return };
    let outcomes = join_all((0..8).map(|_| async { database.open().await.migrate().await.unwrap().len() })).await;

    assert_eq!(outcomes.iter().sum::<usize>(), migrations(DIALECT).len(), "{outcomes:?}");
    assert!(database.open().await.check_schema().await.unwrap().is_empty());
}

/// Teams that own their migrations run what `schema print` prints.
#[tokio::test]
async fn the_printed_script_is_all_it_takes() {
    let Some(database) = Database::empty().await else { return };
    database.execute(&script(DIALECT)).await;

    assert!(database.open().await.check_schema().await.unwrap().is_empty());
}

/// Who was there before second factors has none.
#[tokio::test]
async fn users_of_the_first_version_go_on() {
    let Some(database) = Database::empty().await else { return };
    database.execute(VERSION_TABLE).await;
    database.execute(&migrations(DIALECT)[0].script()).await;
    let insert =
        "insert into auth_users (id, email, email_canonical, status, epoch, roles_version, attributes, created_at)
        values (ID, 'Ann@example.com', 'ann@example.com', 'active', 0, 0, '{}', 1)";
    database.execute(&insert.replace("ID", RANDOM_ID)).await;

    let store = database.open().await;
    let later: Vec<_> = migrations(DIALECT)[1..].iter().collect();
    assert_eq!(store.check_schema().await.unwrap(), later);
    assert_eq!(store.migrate().await.unwrap(), later);
    let ann = Email::parse("ann@example.com").unwrap();
    let found = store.find_user_by_email(&ann).await.unwrap().expect("the user").user;
    assert_eq!((found.email.as_str(), found.factors), ("Ann@example.com", Factors::default()));
}

/// During a deployment the nodes of the version before go on.
#[tokio::test]
async fn a_later_schema_is_no_trouble() {
    let Some((database, store)) = Database::migrated().await else { return };
    database.execute("insert into auth_schema_version (version, name) values (9999, 'later')").await;

    assert!(store.check_schema().await.unwrap().is_empty());
    assert!(store.migrate().await.unwrap().is_empty());
}
