//! Faults strike where they were told to, and the store's transactions do the rest.

use std::sync::Arc;

use auth_core::domain::{Epoch, User};
use auth_core::port::{Change, Commit, CommitError, Rejected, StoreError, Users};
use auth_testkit::{Call, Counting, Fault, Faulty, MemoryStore, given};

fn faulty() -> (Arc<MemoryStore>, Faulty) {
    let store = Arc::new(MemoryStore::new());
    (store.clone(), Faulty::new(store))
}

fn register(user: &User) -> Vec<Change> {
    vec![given::create(user), Change::OpenSession(given::session(user)), Change::Record(given::event(user.id))]
}

#[tokio::test]
async fn change_fails_and_takes_its_commit_along() {
    let (store, faulty) = faulty();
    let user = given::user();
    for k in 0..3 {
        faulty.arm(Fault::Change(k));
        let error = faulty.commit(&register(&user)).await.unwrap_err();
        assert!(matches!(error, CommitError::Store(StoreError::Failed { .. })), "{error:?}");
        assert!(faulty.has_fired());
        assert_eq!(store.dump(), "");
    }
    faulty.arm(Fault::Change(3));
    faulty.commit(&register(&user)).await.unwrap();
    assert!(!faulty.has_fired());
}

#[tokio::test]
async fn change_is_counted_over_commits() {
    let (store, faulty) = faulty();
    let (first, second) = (given::user(), given::user());
    faulty.arm(Fault::Change(4));
    faulty.commit(&register(&first)).await.unwrap();
    let between = store.dump();
    faulty.commit(&register(&second)).await.unwrap_err();
    assert_eq!(store.dump(), between);
    faulty.commit(&register(&second)).await.unwrap();
}

#[tokio::test]
async fn rejection_before_the_fault_is_told_as_it_is() {
    let (_, faulty) = faulty();
    let user = given::registered(&faulty).await;
    let changes = [Change::SpendToken { user: user.id, token: given::id() }, Change::Record(given::event(user.id))];
    faulty.arm(Fault::Change(1));
    let error = faulty.commit(&changes).await.unwrap_err();
    assert!(matches!(error, CommitError::Rejected(Rejected::Token)), "{error:?}");
    assert!(!faulty.has_fired());
}

#[tokio::test]
async fn call_never_reaches_the_store() {
    let (store, faulty) = faulty();
    let user = given::user();
    faulty.arm(Fault::Call(1));
    faulty.find_user(user.id).await.unwrap();
    faulty.commit(&register(&user)).await.unwrap_err();
    assert!(faulty.has_fired());
    assert_eq!(store.dump(), "");
    faulty.commit(&register(&user)).await.unwrap();
}

#[tokio::test]
async fn lost_answer_comes_after_the_commit() {
    let (store, faulty) = faulty();
    let user = given::user();
    faulty.arm(Fault::Answer(0));
    faulty.commit(&register(&user)).await.unwrap_err();
    assert!(faulty.has_fired());
    assert_eq!(store.find_user(user.id).await.unwrap().unwrap().user.epoch, Epoch::FIRST);
}

#[tokio::test]
async fn store_is_away_until_disarmed() {
    let (_, faulty) = faulty();
    let user = given::registered(&faulty).await;
    faulty.arm(Fault::Away);
    for _ in 0..3 {
        faulty.find_user(user.id).await.unwrap_err();
        faulty.commit(&[]).await.unwrap_err();
    }
    faulty.disarm();
    assert!(faulty.find_user(user.id).await.unwrap().is_some());
}

#[tokio::test]
async fn calls_are_noted_in_order() {
    let store = Counting::new(Arc::new(MemoryStore::new()));
    let user = given::registered(&store).await;
    store.find_user_by_email(&user.email).await.unwrap();
    store.find_user(user.id).await.unwrap();
    assert_eq!(store.take(), [Call::Commit, Call::FindUserByEmail, Call::FindUser]);
    assert_eq!(store.take(), []);
}
