//! Lists cost what they return, however much there is.

use auth_core::domain::{AuditEvent, AuditKind, MailState, SessionKey, Timestamp, User, UserId};
use auth_core::port::{
    AuditLog, AuditQuery, Change, Commit, Housekeeping, MailQuery, Outbox, Sessions, Store, UserQuery, Users,
};
use auth_testkit::given::{self, MINUTE, NOW};

use super::super::{Database, RANDOM_ID};

/// Rows of each table that have nothing to do with what is asked for.
const OTHERS: i64 = 20_000;

/// A tenth of it: far less than all, far more than an index needs.
const FEW: i64 = OTHERS / 10;

async fn filled() -> Option<(Database, User)> {
    let (database, store) = Database::migrated().await?;
    let numbers = format!("with recursive n(i) as (select 1 union all select i + 1 from n where i < {OTHERS}) select");
    for insert in [
        "insert into auth_users (id, email, email_canonical, status, epoch, roles_version, attributes, created_at)
            select ID, 'a@b.example', 'a' || i || '@b.example', 'active', 0, 0, '{}', 1 from n",
        "insert into auth_audit_events (id, occurred_at, kind, actor_id, subject_id, detail)
            select ID, i, 'session.opened', ID, ID, '{}' from n",
        "insert into auth_mail_outbox (id, recipient, recipient_canonical, kind, state, created_at, expires_at, due_at,
            attempts, done_at)
            select ID, 'a@b.example', 'a@b.example', 'verify', 'sent', i, i, i, 1, i from n",
    ] {
        database.execute(&insert.replace("select", &numbers).replace("ID", RANDOM_ID)).await;
    }
    let user = given::registered(&store).await;
    let mut by = given::event(given::id());
    (by.actor, by.kind) = (Some(user.id), AuditKind::RoleGranted);
    let mail = auth_core::domain::SealedMail { user: Some(user.id), ..given::mail(NOW) };
    store.commit(&[Change::Record(given::event(user.id)), Change::Record(by), Change::Enqueue(mail)]).await.unwrap();
    store.close().await;
    Some((database, user))
}

async fn events(store: &dyn Store, user: Option<UserId>, kind: Option<AuditKind>) -> usize {
    let first = store.audit_events(&AuditQuery { user, kind, before: None, limit: 10 }).await.unwrap();
    let before = first.last().map(|event| event.id);
    let next = store.audit_events(&AuditQuery { user, kind, before, limit: 10 }).await.unwrap();
    first.len() + next.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_the_audit_log_do_not_scan_it() {
    let Some((database, user)) = filled().await else { return };
    let (user, rare) = (Some(user.id), Some(AuditKind::RoleGranted));
    for (user, kind, found) in [(None, None, 20), (user, None, 2), (None, rare, 1), (user, rare, 1)] {
        let rows = database.rows_read(async |store| assert_eq!(events(store, user, kind).await, found)).await;
        assert!(rows < FEW, "{rows} rows for user {user:?}, kind {kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_pages_of_the_audit_log_cost_no_more_than_the_first() {
    let Some((database, _)) = filled().await else { return };
    let early = AuditEvent { at: Timestamp::from_micros(OTHERS / 20), ..given::event(given::id()) };
    let before = Some(early.id);
    let rows = database.rows_read(async |store| {
        store.commit(&[Change::Record(early)]).await.unwrap();
        let page = AuditQuery { before, limit: 10, ..AuditQuery::default() };
        assert_eq!(store.audit_events(&page).await.unwrap().len(), 10);
    });
    let rows = rows.await;
    assert!(rows < FEW, "{rows} rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_users_and_mails_do_not_scan_them() {
    let Some((database, user)) = filled().await else { return };
    let rows = database.rows_read(async |store| {
        let first = store.users(&UserQuery { limit: 10, ..UserQuery::default() }).await.unwrap();
        let before = first.last().map(|user| user.id);
        assert_eq!(store.users(&UserQuery { before, limit: 10, search: None }).await.unwrap().len(), 10);
    });
    let rows = rows.await;
    assert!(rows < FEW, "{rows} rows for users");

    let all = MailQuery { limit: 10, ..MailQuery::default() };
    let queries = [
        (all.clone(), 10),
        (MailQuery { user: Some(user.id), ..all.clone() }, 1),
        (MailQuery { state: Some(MailState::Queued), ..all.clone() }, 1),
        (MailQuery { state: Some(MailState::Dead), ..all }, 0),
    ];
    for (query, found) in queries {
        let rows = database.rows_read(async |store| assert_eq!(store.mails(&query).await.unwrap().len(), found)).await;
        assert!(rows < FEW, "{rows} rows for {query:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_one_users_is_found_without_the_others() {
    let Some((database, user)) = filled().await else { return };
    let session = given::cookie_session(&user);
    let rows = database.rows_read(async |store| {
        store.commit(&[Change::OpenSession(session.clone())]).await.unwrap();
        let secret = *session.credential.secret().unwrap();
        assert_eq!(store.find_session(&SessionKey::Secret(secret)).await.unwrap().unwrap().session, session);
        assert_eq!(store.sessions_of(user.id).await.unwrap().len(), 1);
        // All that refers to the user is found by an index too.
        store.commit(&[Change::DeleteUser { user: user.id }]).await.unwrap();
    });
    let rows = rows.await;
    assert!(rows < FEW, "{rows} rows");
}

/// SE7: ending everybody's sessions doesn't wait for everybody's row, and who comes later begins in the first epoch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se7_ending_all_sessions_is_one_row() {
    let Some((database, user)) = filled().await else { return };
    let rows = database.rows_read(async |store| {
        let session = given::signed_in(store, &user).await;
        store.commit(&[Change::AdvanceAllEpochs]).await.unwrap();
        let found = store.find_session(&SessionKey::Id(session.id)).await.unwrap().unwrap();
        assert!(!found.session.is_live(&found.user, NOW));

        let later = given::registered(store).await;
        let session = given::signed_in(store, &later).await;
        let found = store.find_session(&SessionKey::Id(session.id)).await.unwrap().unwrap();
        assert_eq!((&found.session, &found.user), (&session, &later));
        assert!(found.session.is_live(&found.user, NOW));
    });
    let rows = rows.await;
    assert!(rows < FEW, "{rows} rows");
}

/// Cleaning looks at what is over, not at what isn't; nor does leasing mail look at what was sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleaning_and_leasing_look_at_what_they_change() {
    let Some((database, _)) = filled().await else { return };
    let rows = database.rows_read(async |store| {
        assert_eq!(store.sweep(NOW, Timestamp::from_micros(10), 100).await.unwrap(), 9);
        assert_eq!(store.lease_mail(given::id(), NOW, NOW + MINUTE, 10).await.unwrap().len(), 1);
    });
    let rows = rows.await;
    assert!(rows < FEW, "{rows} rows");
}
