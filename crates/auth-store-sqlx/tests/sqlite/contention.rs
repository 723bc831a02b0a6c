//! Somebody else holds the write lock.

use std::time::{Duration, Instant};

use auth_core::port::{Change, Commit, CommitError, Housekeeping, StoreError, Users};
use auth_testkit::given::{self, MINUTE, NOW};
use sqlx::{Connection, SqliteConnection};
use tokio::time::sleep;

use super::{Database, impatient};

/// Takes the write lock and gives it back after `time`.
async fn lock(connection: &mut SqliteConnection, time: Duration) {
    let tx = connection.begin_with("begin immediate").await.unwrap();
    sleep(time).await;
    tx.rollback().await.unwrap();
}

/// DF8: a lock that is given back in time is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_a_lock_is_waited_for() {
    let (database, store) = Database::migrated().await.unwrap();
    let user = given::registered(&store).await;
    let mut other = database.connection().await;
    let (advance, holder) = ([Change::AdvanceEpoch { user: user.id }], given::id());

    let locked = lock(&mut other, Duration::from_millis(500));
    let work = async {
        sleep(Duration::from_millis(50)).await;
        let began = Instant::now();
        store.commit(&advance).await.unwrap();
        assert!(store.acquire("sweep", holder, NOW, NOW + MINUTE).await.unwrap());
        began.elapsed()
    };
    let (waited, ()) = tokio::join!(work, locked);
    assert!(waited > Duration::from_millis(300), "{waited:?}");
    assert_eq!(store.find_user(user.id).await.unwrap().unwrap().user.epoch.number(), 1);
}

/// DF8: `SQLITE_BUSY` is retried, and what is retried happens once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_busy_is_retried() {
    let (database, store) = Database::migrated().await.unwrap();
    let user = given::registered(&store).await;
    let impatient = impatient(&database).await;
    let mut other = database.connection().await;

    for _ in 0..20 {
        let advance = [Change::AdvanceEpoch { user: user.id }];
        let locked = lock(&mut other, Duration::from_millis(3));
        let (outcome, ()) = tokio::join!(impatient.commit(&advance), locked);
        outcome.unwrap();
    }
    assert_eq!(store.find_user(user.id).await.unwrap().unwrap().user.epoch.number(), 20);
}

/// DF8: a lock that is never given back is an error before long, and nothing has happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_a_lock_for_good_is_unavailable() {
    let (database, store) = Database::migrated().await.unwrap();
    let user = given::registered(&store).await;
    let mut other = database.connection().await;
    let tx = other.begin_with("begin immediate").await.unwrap();

    let began = Instant::now();
    let outcome = store.commit(&[Change::AdvanceEpoch { user: user.id }]).await;
    assert!(matches!(outcome, Err(CommitError::Store(StoreError::Unavailable { store: "sqlite", .. }))), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(11), "{:?}", began.elapsed());
    // Readers don't mind.
    assert_eq!(store.find_user(user.id).await.unwrap().unwrap().user.epoch.number(), 0);

    tx.rollback().await.unwrap();
    store.commit(&[Change::AdvanceEpoch { user: user.id }]).await.unwrap();
}
