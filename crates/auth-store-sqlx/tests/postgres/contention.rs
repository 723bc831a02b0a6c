//! Somebody else holds what a commit needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_core::domain::{SealedMail, SessionKey, User};
use auth_core::port::{Change, Commit, CommitError, MailQuery, Outbox, Rejected, Sessions, StoreError, Users};
use auth_testkit::given::{self, MINUTE, NOW};
use auth_testkit::race::race;
use sqlx::{Connection, PgConnection, PgTransaction, query};
use tokio::time::sleep;

use super::{Database, Store};

/// Another transaction that holds the user's row.
async fn lock<'c>(connection: &'c mut PgConnection, user: &User) -> PgTransaction<'c> {
    let mut tx = connection.begin().await.unwrap();
    query("select id from auth_users where id = $1 for update")
        .bind(user.id.as_uuid())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx
}

async fn epoch(store: &Store, user: &User) -> u32 {
    store.find_user(user.id).await.unwrap().unwrap().user.epoch.number()
}

/// DF8: the wait for a lock is bounded, its end is retried, and what is retried happens once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_a_lock_timeout_is_retried() {
    let Some((database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    let mut other = database.connection().await;

    let tx = lock(&mut other, &user).await;
    let holding = async {
        sleep(Duration::from_millis(2500)).await;
        tx.rollback().await.unwrap();
    };
    let advance = [Change::AdvanceEpoch { user: user.id }];
    let (outcome, ()) = tokio::join!(store.commit(&advance), holding);
    outcome.unwrap();
    assert_eq!(epoch(&store, &user).await, 1);
}

/// DF8: a lock that is never given back is an error before long, and nothing has happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_a_lock_for_good_is_unavailable() {
    let Some((database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    let mut other = database.connection().await;

    let tx = lock(&mut other, &user).await;
    let began = Instant::now();
    let outcome = store.commit(&[Change::AdvanceEpoch { user: user.id }]).await;
    assert!(
        matches!(outcome, Err(CommitError::Store(StoreError::Unavailable { store: "postgres", .. }))),
        "{outcome:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(epoch(&store, &user).await, 0);

    tx.rollback().await.unwrap();
    store.commit(&[Change::AdvanceEpoch { user: user.id }]).await.unwrap();
}

/// DF8: the victim of a deadlock, here with a transaction that isn't ours, tries again, and happens once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_a_deadlock_is_retried() {
    let Some((database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    let session = given::signed_in(&store, &user).await;
    let mut other = database.connection().await;
    // Ours finds the deadlock first and is its victim.
    query("set deadlock_timeout = '1min'").execute(&mut other).await.unwrap();

    let mut tx = other.begin().await.unwrap();
    query("update auth_sessions set user_agent = 'other' where id = $1")
        .bind(session.id.as_uuid())
        .execute(&mut *tx)
        .await
        .unwrap();
    let other_way_round = async {
        // By now the commit holds the user and waits for the session.
        sleep(Duration::from_millis(300)).await;
        let update = query("update auth_users set name = 'other' where id = $1").bind(user.id.as_uuid());
        update.execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    let rotate = [Change::RotateRefresh {
        user: user.id,
        session: session.id,
        from: 0,
        at: NOW + MINUTE,
        idle_until: session.idle_until,
        kept_until: session.kept_until,
    }];
    let (outcome, ()) = tokio::join!(store.commit(&rotate), other_way_round);
    outcome.unwrap();

    let found = store.find_session(&SessionKey::Id(session.id)).await.unwrap().unwrap();
    assert_eq!(found.session.credential.refresh().map(|refresh| refresh.counter), Some(1));
    assert_eq!(found.session.user_agent.as_deref(), Some("other"));
    assert_eq!(found.user.profile.name.as_deref(), Some("other"));
}

/// DF8: a database that is set to another isolation level by default changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_the_default_isolation_level_does_not_matter() {
    let Some((database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    let session = given::signed_in(&store, &user).await;
    let name = database.name.clone();
    database.execute(&format!("alter database {name} set default_transaction_isolation = 'serializable'")).await;
    let nodes = Arc::new([database.open().await, database.open().await]);

    let outcomes = race(50, |i| {
        let nodes = nodes.clone();
        let close = [Change::CloseSession { user: user.id, session: session.id, at: NOW }];
        async move { nodes[i % 2].commit(&close).await }
    });
    let outcomes = outcomes.await;
    outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Session);
}

/// DF8: a mail to somebody who is being deleted waits for that, and is then about nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_a_mail_outlives_a_deletion_under_way() {
    let Some((database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    let mail = SealedMail { user: Some(user.id), ..given::mail(NOW) };
    let mut other = database.connection().await;

    let mut tx = other.begin().await.unwrap();
    query("delete from auth_users where id = $1").bind(user.id.as_uuid()).execute(&mut *tx).await.unwrap();
    let deletion = async {
        // By now the mail's row waits for the user's.
        sleep(Duration::from_millis(300)).await;
        tx.commit().await.unwrap();
    };
    let enqueue = [Change::Enqueue(mail.clone())];
    let (outcome, ()) = tokio::join!(store.commit(&enqueue), deletion);
    outcome.unwrap();

    let mails = store.mails(&MailQuery { limit: 10, ..MailQuery::default() }).await.unwrap();
    assert_eq!(mails.iter().map(|found| (found.id, found.user)).collect::<Vec<_>>(), [(mail.id, None)]);
}
