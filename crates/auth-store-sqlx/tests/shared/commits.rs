//! Commits that meet each other, and commits that nobody waits for.

use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::{SessionKey, UserId};
use auth_core::port::{AuditLog, AuditQuery, Change, Commit, Rejected, Sessions, Users};
use auth_testkit::fault::abandon;
use auth_testkit::given;
use auth_testkit::race::race;
use tokio::time::{sleep, timeout};

use super::super::Database;

/// DF7: wherever its caller is dropped, a commit that began happens, and happens whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df7_a_dropped_caller_does_not_cut_it_short() {
    let Some((_database, store)) = Database::migrated().await else { return };
    for polls in 1..=4 {
        let user = given::user();
        let session = given::session(&user);
        let event = given::event(user.id);
        let changes = [given::create(&user), Change::OpenSession(session.clone()), Change::Record(event)];
        abandon(polls, store.commit(&changes)).await;

        let arrived = async {
            while store.find_user(user.id).await.unwrap().is_none() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(5), arrived).await.expect("the commit to happen");
        assert_eq!(store.find_session(&SessionKey::Id(session.id)).await.unwrap().unwrap().session, session);
        assert_eq!(
            store
                .audit_events(&AuditQuery { user: Some(user.id), limit: 10, ..AuditQuery::default() })
                .await
                .unwrap()
                .len(),
            1
        );
    }
}

/// DF8: commits that name two users in either order, from two nodes, queue up instead of deadlocking.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_commits_over_two_users_do_not_deadlock() {
    let Some((database, store)) = Database::migrated().await else { return };
    let (ann, bob) = (given::registered(&store).await, given::registered(&store).await);
    let nodes = Arc::new([store.clone(), database.open().await]);
    let (a, b) = (ann.id, bob.id);

    let outcomes = race(50, |i| {
        let nodes = nodes.clone();
        let users = if i % 4 < 2 { [a, b] } else { [b, a] };
        async move {
            let forgive =
                |user| Change::Forgive { subject: UserId::into(user), budget: auth_core::domain::Budget::ResetCode };
            let [first, second] = users;
            let changes = [
                forgive(first),
                Change::AdvanceEpoch { user: first },
                forgive(second),
                Change::AdvanceEpoch { user: second },
            ];
            nodes[i % 2].commit(&changes).await
        }
    });
    assert_eq!(outcomes.await.winners().len(), 50);
    for user in [a, b] {
        assert_eq!(store.find_user(user).await.unwrap().unwrap().user.epoch.number(), 50);
    }
}

/// DF8: of 50 commits that take the same address, from two nodes, one happens; the others are rejected, not in error.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df8_a_unique_violation_is_a_clean_rejection() {
    let Some((database, store)) = Database::migrated().await else { return };
    let nodes = Arc::new([store, database.open().await]);
    let email = given::email();
    let key = given::signing_key();

    let outcomes = race(50, |i| {
        let (nodes, email) = (nodes.clone(), email.clone());
        async move {
            let mut user = given::user();
            user.email = email;
            nodes[i % 2].commit(&[given::create(&user)]).await
        }
    });
    let outcomes = outcomes.await;
    outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::EmailTaken);

    let outcomes = race(50, |i| {
        let (nodes, key) = (nodes.clone(), key.clone());
        async move { nodes[i % 2].commit(&[Change::AddSigningKey(key)]).await }
    });
    let outcomes = outcomes.await;
    outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Key);
}

/// An id that is taken is no address that is taken.
#[tokio::test]
async fn other_unique_violations_are_errors() {
    let Some((_database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    let mut twin = given::user();
    twin.id = user.id;

    let outcome = store.commit(&[given::create(&twin)]).await;
    assert!(matches!(outcome, Err(auth_core::port::CommitError::Store(_))), "{outcome:?}");
    assert_eq!(store.sessions_of(user.id).await.unwrap(), []);
}
