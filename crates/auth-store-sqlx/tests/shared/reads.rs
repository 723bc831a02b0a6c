//! Reading what this version didn't write.

use auth_core::domain::{LeaseId, Purpose, SealedMail, SessionKey};
use auth_core::port::{Change, Commit, Outbox, Sessions, StoreError, Tokens, Users};
use auth_testkit::given::{self, MINUTE, NOW};
use futures_util::future::join_all;

use super::super::{DIALECT, Database};

fn assert_failed<T: std::fmt::Debug>(outcome: Result<T, StoreError>, what: &str) {
    match outcome {
        Err(StoreError::Failed { store, source }) => {
            assert_eq!((store, source.to_string()), (DIALECT.as_str(), format!("the stored {what} can't be read")));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error() {
    let Some((database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    let session = given::signed_in(&store, &user).await;
    let link = given::issued(&store, &user, Purpose::SecondStep).await.link.unwrap();

    database.execute("update auth_sessions set ip = 'nowhere'").await;
    assert_failed(store.find_session(&SessionKey::Id(session.id)).await, "IP address");
    database.execute("update auth_users set attributes = '[]'").await;
    assert_failed(store.find_user(user.id).await, "attributes");
    database.execute("update auth_users set attributes = '{}'").await;
    // Of a later version: whoever passed it over would sign the user in without it.
    database.execute("update auth_users set factors = 'totp passkey'").await;
    assert_failed(store.find_user(user.id).await, "second factors");
    database.execute("update auth_users set factors = ''").await;
    database.execute("update auth_one_time_tokens set epoch = 0").await;
    assert_failed(store.find_token(&link).await, "first step");
    database.execute("insert into auth_roles (name) values ('Root!')").await;
    database.execute("update auth_user_roles set role = 'Root!'").await;
    assert_failed(store.find_user(user.id).await, "role");
    database.execute("update auth_users set epoch = 4294967296").await;
    assert_failed(store.find_user_by_email(&user.email).await, "epoch");
}

#[tokio::test]
async fn a_mail_of_a_later_version_holds_up_no_other() {
    let Some((database, store)) = Database::migrated().await else { return };
    let later = given::mail(NOW);
    let readable = SealedMail { created_at: NOW + MINUTE, ..given::mail(NOW) };
    store.commit(&[Change::Enqueue(later)]).await.unwrap();
    database.execute("update auth_mail_outbox set kind = 'later'").await;
    store.commit(&[Change::Enqueue(readable.clone())]).await.unwrap();

    let now = NOW + 2 * MINUTE;
    let leased = store.lease_mail(given::id::<LeaseId>(), now, now + MINUTE, 10).await.unwrap();
    assert_eq!(leased.iter().map(|leased| leased.mail.id).collect::<Vec<_>>(), [readable.id]);
}

/// DF7: reads that are given up leave no answer behind for the next one, and take no connection along.
#[tokio::test]
async fn df7_reads_given_up_disturb_no_other() {
    let Some((_database, store)) = Database::migrated().await else { return };
    let users = [given::registered(&store).await, given::registered(&store).await];
    for i in 0..100_u32 {
        let given_up = store.find_user(users[0].id);
        // At another moment each time.
        tokio::select! { biased; _ = given_up => {}, () = yields(i % 10) => {} }
        let found = store.find_user(users[1].id).await.unwrap().unwrap();
        assert_eq!(found.user, users[1]);
    }
}

async fn yields(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_closed_store_reads_no_more() {
    let Some((_database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    join_all((0..50).map(|_| async { store.find_user(user.id).await.unwrap().unwrap() })).await;
    // Waits for all connections, those kept for the next read too.
    store.close().await;
    assert!(matches!(store.find_user(user.id).await, Err(StoreError::Unavailable { .. })));
}

#[test]
fn a_store_may_outlive_its_runtime() {
    let open = async {
        let (database, store) = Database::migrated().await?;
        given::registered(&store).await;
        store.find_user(given::id()).await.unwrap();
        Some((database, store))
    };
    let Some((_database, store)) = auth_testkit::block_on(open) else { return };
    drop(store);
}
