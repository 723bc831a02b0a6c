//! The application's own table in the same transaction.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use auth_core::domain::{Role, User};
use auth_core::port::{AuditLog, AuditQuery, Change, Commit, CommitError, Rejected, StoreError, Users};
use auth_testkit::given;

use super::super::{Connection, Database, ID, Participant, Refusal, Store, insert_profile, stumble};

/// Gives each new user a profile.
#[derive(Debug)]
struct Profiles;

#[async_trait]
impl Participant for Profiles {
    async fn take_part(&self, changes: &[Change], connection: &mut Connection) -> Result<(), Refusal> {
        for change in changes {
            if let Change::CreateUser { user, .. } = change {
                insert_profile(connection, user).await?;
            }
        }
        Ok(())
    }
}

/// Has reasons against everything.
#[derive(Debug)]
struct Grumpy;

#[async_trait]
impl Participant for Grumpy {
    async fn take_part(&self, _: &[Change], _: &mut Connection) -> Result<(), Refusal> {
        Err(Refusal::other("not today"))
    }
}

/// Writes a row that is there already, so often.
#[derive(Debug)]
struct Stumbling(AtomicU32);

#[async_trait]
impl Participant for Stumbling {
    async fn take_part(&self, _: &[Change], connection: &mut Connection) -> Result<(), Refusal> {
        if self.0.fetch_sub(1, Ordering::Relaxed) > 0 {
            stumble(connection).await?;
        }
        Ok(())
    }
}

async fn database() -> Option<(Database, Store)> {
    let (database, store) = Database::migrated().await?;
    let table = format!(
        "create table profiles (user_id {ID} not null primary key, nickname varchar(300) not null,
            foreign key (user_id) references auth_users (id) on delete cascade)"
    );
    database.execute(&table).await;
    Some((database, store))
}

async fn profiles(database: &Database) -> i64 {
    database.number("select count(*) from profiles").await
}

/// DF1: everything of a user that never came into being.
async fn nothing_happened(database: &Database, store: &Store, user: &User) {
    assert_eq!(profiles(database).await, 0);
    assert!(store.find_user(user.id).await.unwrap().is_none());
    let query = AuditQuery { user: Some(user.id), limit: 1, ..AuditQuery::default() };
    assert_eq!(store.audit_events(&query).await.unwrap(), []);
}

#[tokio::test]
async fn its_row_comes_and_goes_with_the_user() {
    let Some((database, store)) = database().await else { return };
    let store = store.with_participant(Profiles);
    let user = given::user();
    store.commit(&[given::create(&user)]).await.unwrap();
    assert_eq!(profiles(&database).await, 1);

    // What doesn't concern it leaves it alone; a clone of the store has it too.
    store.clone().commit(&[Change::AdvanceEpoch { user: user.id }]).await.unwrap();
    assert_eq!(profiles(&database).await, 1);
    store.commit(&[Change::DeleteUser { user: user.id }]).await.unwrap();
    assert_eq!(profiles(&database).await, 0);
}

#[tokio::test]
async fn df1_what_one_refuses_happens_nowhere() {
    let Some((database, store)) = database().await else { return };
    let store = store.with_participant(Profiles).with_participant(Grumpy);
    let user = given::user();
    match store.commit(&[given::create(&user), Change::Record(given::event(user.id))]).await {
        Err(CommitError::Store(StoreError::Failed { source, .. })) => assert_eq!(source.to_string(), "not today"),
        other => panic!("{other:?}"),
    }
    nothing_happened(&database, &store, &user).await;
}

#[tokio::test]
async fn df1_what_the_database_refuses_it_takes_all_along() {
    let Some((database, store)) = database().await else { return };
    let store = store.with_participant(Profiles).with_participant(Stumbling(AtomicU32::new(1)));
    let user = given::user();
    let changes = [given::create(&user), Change::Record(given::event(user.id))];
    let outcome = store.commit(&changes).await;
    assert!(matches!(outcome, Err(CommitError::Store(StoreError::Failed { .. }))), "{outcome:?}");
    nothing_happened(&database, &store, &user).await;

    // The connection is as good as before.
    store.commit(&changes).await.unwrap();
    assert_eq!(profiles(&database).await, 1);
}

#[tokio::test]
async fn what_is_rejected_takes_its_row_back() {
    let Some((database, store)) = database().await else { return };
    let store = store.with_participant(Profiles);
    let user = given::user();
    let require = Change::Require { user: user.id, role: Role::admin() };
    match store.commit(&[given::create(&user), Change::Record(given::event(user.id)), require]).await {
        Err(CommitError::Rejected(Rejected::Role)) => nothing_happened(&database, &store, &user).await,
        other => panic!("{other:?}"),
    }
}
