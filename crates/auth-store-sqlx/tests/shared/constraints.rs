//! What the database refuses to hold, whoever writes.

use auth_core::port::{Change, Commit};
use auth_testkit::given::{self, NOW};

use super::super::Database;

/// A session is used with tokens or with a secret, a mail that waits has a body, and an authenticator's secret is on
/// or enrolled.
#[tokio::test]
async fn rows_without_a_meaning_are_refused() {
    let Some((database, store)) = Database::migrated().await else { return };
    let user = given::registered(&store).await;
    let tokens = given::session(&user);
    let mut cookie = given::cookie_session(&user);
    let mail = given::mail(NOW);
    (cookie.device, cookie.user_agent) = (given::id(), Some("browser".into()));
    let totp = Change::EnrolTotp(given::totp_secret(&user));
    let codes = Change::SetRecoveryCodes { user: user.id, codes: vec![given::mac()] };
    store.commit(&[Change::OpenSession(tokens), Change::OpenSession(cookie), Change::Enqueue(mail)]).await.unwrap();
    store.commit(&[totp, codes]).await.unwrap();

    for refused in [
        "update auth_sessions set refresh_salt = null where secret_digest is null",
        "update auth_sessions set refresh_counter = null where secret_digest is null",
        "update auth_sessions set rotated_at = null where secret_digest is null",
        "update auth_sessions set refresh_salt = null, refresh_counter = null, rotated_at = null",
        "update auth_sessions set secret_digest = null",
        "update auth_sessions set rotated_at = 1 where user_agent = 'browser'",
        "update auth_sessions set secret_digest = user_id where user_agent = 'browser'",
        "update auth_mail_outbox set body = null",
        "update auth_mail_outbox set state = 'sent'",
        "update auth_users set roles_version = -1",
        "update auth_totp_secrets set last_step = 1",
        "update auth_totp_secrets set pending_until = null",
        "update auth_recovery_codes set code_mac = user_id",
        "update auth_roles set holders = -1",
    ] {
        assert!(database.try_execute(refused).await.is_err(), "{refused}");
    }
    for taken in [
        "update auth_mail_outbox set state = 'dead'",
        "update auth_mail_outbox set body = null",
        "update auth_mail_outbox set state = 'sent'",
    ] {
        database.execute(taken).await;
    }
}

/// Two sessions of one secret would open each other's account.
#[tokio::test]
async fn a_secret_opens_one_session() {
    let Some((_database, store)) = Database::migrated().await else { return };
    let (ann, bob) = (given::registered(&store).await, given::registered(&store).await);
    let session = given::cookie_session(&ann);
    let mut twin = given::cookie_session(&bob);
    twin.credential = session.credential;
    store.commit(&[Change::OpenSession(session)]).await.unwrap();
    assert!(store.commit(&[Change::OpenSession(twin)]).await.is_err());
}
