//! Reading what this version didn't write.

use auth_core::domain::{LeaseId, SealedMail};
use auth_core::port::{Change, Commit, Outbox, Sessions, StoreError, Users};
use auth_testkit::given::{self, MINUTE, NOW};

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

    database.execute("update auth_sessions set ip = 'nowhere'").await;
    assert_failed(store.find_session(session.id).await, "IP address");
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
