//! What a server's settings could let through.

use auth_core::domain::{Email, User};
use auth_core::port::{Change, Commit, CommitError, StoreError, Users};
use auth_testkit::given;
use sqlx::query_scalar;

use super::{Database, on_a_loose_pool};

/// EN3, IN2: addresses that the server's collations take for one are accounts of their own, and one finds itself only:
/// other case, accents, spaces or NUL at the end, letters that fold into two.
#[tokio::test]
async fn en3_no_collation_merges_accounts() {
    let Some((database, store)) = Database::migrated().await else { return };
    let collation: String =
        query_scalar("select @@collation_database").fetch_one(&mut database.connection().await).await.unwrap();
    assert_eq!(collation, "utf8mb4_general_ci", "the least helpful one");

    let mut users = Vec::new();
    for canonical in [
        "ann@example.com",
        "Ann@example.com",
        "ann@example.com ",
        "ann@example.com  ",
        "ann@example.com\0",
        "ann@example.com\t",
        " ann@example.com",
        "ánn@example.com",
        "a\u{301}nn@example.com",
        "ａnn@example.com",
        "strasse@example.com",
        "straße@example.com",
        "ı@example.com",
        "i@example.com",
        "🦀@example.com",
        "🦞@example.com",
    ] {
        // As they would be stored if the rules for addresses had let them through.
        let user = User { email: Email::from_stored("x@example.com", canonical), ..given::user() };
        store.commit(&[given::create(&user)]).await.unwrap_or_else(|error| panic!("{canonical:?}: {error}"));
        users.push(user);
    }
    for user in users {
        let found = store.find_user_by_email(&user.email).await.unwrap().unwrap().user;
        assert_eq!((found.id, found.email.canonical()), (user.id, user.email.canonical()));
    }
    let absent = Email::from_stored("x@example.com", "ANN@EXAMPLE.COM");
    assert!(store.find_user_by_email(&absent).await.unwrap().is_none());
}

/// What doesn't fit a column is refused, and nothing of it is kept: cut off, it could be another's.
#[tokio::test]
async fn nothing_is_cut_off_to_fit() {
    let Some((_database, store)) = Database::migrated().await else { return };
    let email = Email::from_stored("x@example.com", "a".repeat(255));
    let user = User { email, ..given::user() };
    let outcome = store.commit(&[given::create(&user)]).await;
    assert!(matches!(outcome, Err(CommitError::Store(StoreError::Failed { .. }))), "{outcome:?}");
    assert!(store.find_user(user.id).await.unwrap().is_none());
}

/// A host's pool may be set as loosely as old servers are; `set_up` makes its connections strict.
#[tokio::test]
async fn a_host_brings_its_own_pool() {
    let Some((database, _)) = Database::migrated().await else { return };
    // On MySQL the last two are another, or none.
    const LIMITS: &str = "select cast(concat_ws(' ', @@tx_isolation, @@innodb_lock_wait_timeout,
        cast(@@max_statement_time as signed), @@idle_transaction_timeout) as char)";
    let (store, limits) = on_a_loose_pool(&database, LIMITS).await;
    assert_eq!(limits, "READ-COMMITTED 2 5 10");
    let user = given::registered(&store).await;
    assert_eq!(store.find_user(user.id).await.unwrap().unwrap().user, user);

    let long = User { email: Email::from_stored("x@example.com", "a".repeat(255)), ..given::user() };
    assert!(store.commit(&[given::create(&long)]).await.is_err());
    assert_eq!(store.usage().0.max, 3);
}

/// AU2: what the server says about a value that is there already quotes the value. It doesn't reach errors, and with them
/// logs.
#[tokio::test]
async fn au2_errors_quote_no_values() {
    let Some((_database, store)) = Database::migrated().await else { return };
    let (ann, bob) = (given::registered(&store).await, given::registered(&store).await);
    let session = given::cookie_session(&ann);
    let mut twin = given::cookie_session(&bob);
    twin.credential = session.credential;
    store.commit(&[Change::OpenSession(session)]).await.unwrap();

    let error = store.commit(&[Change::OpenSession(twin)]).await.unwrap_err();
    let CommitError::Store(StoreError::Failed { source, .. }) = error else { panic!("{error:?}") };
    let said = source.to_string();
    assert!(said.starts_with("duplicate entry for key \"auth_sessions_secret_key\" (code "), "{said}");
}
