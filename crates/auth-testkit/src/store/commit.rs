//! Commits: all of a list or none of it, in order, whoever else commits.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::{
    AuditEvent, AuditKind, Budget, Digest, Epoch, Pending, Purpose, SealedMail, Session, Token, TotpSecret, User,
};
use auth_core::port::{Change, Commit, CommitError, Outdated, Rejected, Store};

use super::alone::{MAIL_TIME, alone};
use super::scene::{Scene, edit_profile};
use super::{about, account, done, found_session, live_sessions, rejected};
use crate::fault::{Fault, Faulty, abandon};
use crate::given::{self, DAY, HOUR, MINUTE, NOW};
use crate::picture::Picture;
use crate::race::race;
use crate::show;

/// An empty list goes through.
pub async fn nothing_is_a_commit(store: &Arc<dyn Store>) {
    done(store, &[]).await;
}

/// A list is applied in order: each change sees the ones before it, the user's own creation included.
pub async fn applies_in_order(store: &Arc<dyn Store>) {
    let user = given::user();
    let session = given::session(&user);
    let token = given::token(&user, Purpose::VerifyEmail);
    let next = Session { epoch: Epoch::FIRST.next(), ..given::session(&user) };
    let password = given::hash();
    let changes = [
        given::create(&user),
        Change::OpenSession(session.clone()),
        given::issue(token.clone()),
        Change::ClaimAttempt { user: user.id, token: token.id, limit: 1 },
        Change::SpendToken { user: user.id, token: token.id },
        Change::VerifyEmail { user: user.id, email: user.email.clone(), at: NOW + HOUR },
        Change::SetPassword { user: user.id, epoch: Epoch::FIRST, password: password.clone() },
        Change::OpenSession(next.clone()),
        Change::CloseSession { user: user.id, session: session.id, at: NOW + HOUR },
        Change::Record(given::event(user.id)),
    ];
    let mut without_the_user = changes.to_vec();
    without_the_user.rotate_left(1);
    assert_eq!(rejected(store, &without_the_user).await, Rejected::Epoch);
    done(store, &changes).await;

    let found = account(store, user.id).await;
    assert_eq!(found.password, Some(password));
    assert_eq!(found.user, User { email_verified_at: Some(NOW + HOUR), epoch: Epoch::FIRST.next(), ..user.clone() });
    assert_eq!(live_sessions(store, user.id, NOW).await, [next]);
    assert!(store.find_token(&token.link.unwrap()).await.unwrap().is_none());
}

/// Of several preconditions that are false, the first of the list is named.
pub async fn names_the_first_that_was_false(store: &Arc<dyn Store>) {
    let scene = Scene::set(store).await;
    let all = scene.offences();
    for (i, (change, reason)) in all.iter().enumerate() {
        let (other, _) = &all[(i + 1) % all.len()];
        assert_eq!(rejected(store, &[change.clone(), other.clone()]).await, *reason, "{change:?} before {other:?}");
    }
}

/// AU4: a list whose last precondition is false changes nothing, whichever it is; no mail leaves, no entry is written.
pub async fn au4_rejected_list_changes_nothing(store: &Arc<dyn Store>) {
    alone(store, async || {
        let scene = Scene::set(store).await;
        let before = scene.picture(store).await;
        for (offence, reason) in scene.offences() {
            let mut changes = vec![
                given::create(&scene.newcomer),
                edit_profile(scene.user.id),
                Change::VerifyEmail { user: scene.user.id, email: scene.user.email.clone(), at: NOW },
                Change::Enqueue(scene.mail.clone()),
                Change::Record(given::event(scene.user.id)),
            ];
            changes.push(offence);
            assert_eq!(rejected(store, &changes).await, reason);
            assert_eq!(scene.picture(store).await, before, "{:?}", changes.last());
        }
    })
    .await;
}

/// AU4, DF1: of a list with every kind of change, each in turn is applied and then fails; nothing has changed then,
/// audit entry and mail included. At last the whole list goes through.
pub async fn au4_df1_failed_change_undoes_all_before_it(store: &Arc<dyn Store>) {
    alone(store, async || {
        let scene = Scene::set(store).await;
        let before = scene.picture(store).await;
        let faulty = Faulty::new(store.clone());
        let changes = scene.every_change();
        for k in 0..changes.len() {
            faulty.arm(Fault::Change(k));
            let outcome = faulty.commit(&changes).await;
            assert!(faulty.has_fired(), "{:?} didn't go through: {outcome:?}", changes[k]);
            assert!(matches!(outcome, Err(CommitError::Store(_))));
            assert_eq!(scene.picture(store).await, before, "after failing {:?}", changes[k]);
        }
        done(store, &changes).await;
        assert_ne!(scene.picture(store).await, before);
    })
    .await;
}

/// An id that exists is an error, and replaces nothing.
pub async fn equal_ids_are_an_error(store: &Arc<dyn Store>) {
    alone(store, async || {
        let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
        let session = given::signed_in(&**store, &user).await;
        let token = given::issued(&**store, &user, Purpose::VerifyEmail).await;
        let (browser, others_browser) = (given::cookie_session(&user), given::cookie_session(&other));
        let (mail, event, pending) = (given::mail(MAIL_TIME), given::event(user.id), given::pending());
        let totp = given::totp_secret(&user);
        let stored = [
            Change::OpenSession(browser.clone()),
            Change::OpenSession(others_browser.clone()),
            Change::EnrolTotp(totp.clone()),
            Change::AddPending(pending.clone()),
            Change::Enqueue(mail.clone()),
            Change::Record(event.clone()),
        ];
        done(store, &stored).await;
        let before = Picture::of(&**store, user.id).await;
        let others = Picture::of(&**store, other.id).await;

        let same_ids = [
            given::create(&User { id: user.id, ..given::user() }),
            Change::OpenSession(Session { id: session.id, ..given::session(&other) }),
            given::issue(Token { id: token.id, ..given::token(&other, Purpose::VerifyEmail) }),
            given::issue(Token { link: token.link, ..given::token(&other, Purpose::VerifyEmail) }),
            Change::EnrolTotp(TotpSecret { id: totp.id, ..given::totp_secret(&other) }),
            Change::OpenSession(Session { credential: browser.credential, ..given::cookie_session(&other) }),
            Change::RotateSecret {
                user: other.id,
                session: others_browser.id,
                from: secret(&others_browser),
                to: secret(&browser),
                roles_version: 1,
            },
            Change::AddPending(Pending { id: pending.id, ..given::pending() }),
            Change::AddPending(Pending { link: pending.link, ..given::pending() }),
            Change::Enqueue(SealedMail { id: mail.id, ..given::mail(MAIL_TIME) }),
            Change::Record(AuditEvent { id: event.id, kind: AuditKind::KeyCreated, ..given::event(other.id) }),
        ];
        for change in same_ids {
            let changes = [edit_profile(other.id), change.clone()];
            let outcome = store.commit(&changes).await;
            assert!(matches!(outcome, Err(CommitError::Store(_))), "{outcome:?} on {change:?}");
            assert_eq!(Picture::of(&**store, user.id).await, before, "{change:?}");
            assert_eq!(Picture::of(&**store, other.id).await, others, "{change:?}");
            let found = store.find_pending(&pending.link).await.unwrap().expect("the registration");
            assert_eq!(show::pending(&found), show::pending(&pending), "{change:?}");
        }
        let leased = store.lease_mail(given::id(), MAIL_TIME, MAIL_TIME + MINUTE, 10).await.unwrap();
        assert_eq!(leased.iter().map(|leased| show::mail(&leased.mail)).collect::<Vec<_>>(), [show::mail(&mail)]);
    })
    .await;
}

/// A list may be long.
pub async fn takes_long_lists(store: &Arc<dyn Store>) {
    let subject = given::id();
    let changes: Vec<Change> = (0..500).map(|_| Change::Record(given::event(subject))).collect();
    done(store, &changes).await;
    assert_eq!(store.audit_events(&about(subject, 1000)).await.unwrap().len(), 500);
}

/// DF7: a caller that goes away at any moment leaves all of its list or none, and the store as usable as before.
pub async fn df7_dropped_caller_cuts_nothing_short(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let mut lists = Vec::new();
    for polls in 0..20 {
        let session = given::session(&user);
        let token = given::token(&user, Purpose::VerifyEmail);
        let changes = [Change::OpenSession(session.clone()), given::issue(token.clone())];
        abandon(polls, store.commit(&changes)).await;
        lists.push((session, token));
    }
    // The store goes on with what it has begun, so give it time to end.
    for (session, token) in lists {
        let is_whole = async || {
            let opened = found_session(store, session.id).await.is_some();
            opened == store.find_token(&token.link.unwrap()).await.unwrap().is_some()
        };
        let mut tries = 0;
        while !is_whole().await {
            tries += 1;
            assert!(tries < 100, "half of a list was applied");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    done(store, &[edit_profile(user.id)]).await;
}

/// DF8: lists that name the same users in opposite orders don't deadlock: all go through, soon.
pub async fn df8_opposite_orders_do_not_deadlock(store: &Arc<dyn Store>) {
    let users = [given::registered(&**store).await, given::registered(&**store).await];
    let racing = race(50, |i| {
        // A child row first, then the user: where a foreign key takes a shared lock on the user, that is how two of
        // these would wait for each other even if they had only one user.
        let mut changes: Vec<Change> = users
            .iter()
            .flat_map(|user| {
                [given::issue(given::token(user, Purpose::VerifyEmail)), Change::AdvanceEpoch { user: user.id }]
            })
            .collect();
        if i % 2 == 1 {
            changes.rotate_left(2);
        }
        let store = store.clone();
        async move { store.commit(&changes).await }
    });
    let outcomes = tokio::time::timeout(Duration::from_secs(60), racing).await.expect("the commits to end");
    assert_eq!(outcomes.winners().len(), 50, "contention is the store's to settle: {outcomes:?}");
    for user in users {
        assert_eq!(account(store, user.id).await.user.epoch, Epoch::from_number(50));
        assert_eq!(store.tokens_of(user.id, Purpose::VerifyEmail).await.unwrap().len(), 50);
    }
}

/// DF8: lists of one user that touch different tables in different orders all go through.
pub async fn df8_one_user_many_kinds_of_change(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let racing = race(48, |i| {
        let id = user.id;
        let issue = given::issue(given::token(&user, Purpose::ResetPassword));
        let trim = Change::TrimTokens { user: id, purpose: Purpose::ResetPassword, keep: 3 };
        let charge =
            Change::Charge { subject: id.into(), budget: Budget::ResetCode, limit: 1000, window: HOUR, at: NOW };
        let forgive = Change::Forgive { subject: id.into(), budget: Budget::ResetCode };
        let touch = Change::TouchSession { user: id, session: session.id, at: NOW + HOUR, idle_until: NOW + DAY };
        let profile = edit_profile(id);
        let record = Change::Record(given::event(id));
        let changes = match i % 6 {
            0 => vec![issue, trim, record],
            1 => vec![charge, touch],
            2 => vec![touch, forgive, charge],
            3 => vec![profile, issue],
            4 => vec![forgive, profile, record],
            _ => vec![record, trim, touch],
        };
        let store = store.clone();
        async move { store.commit(&changes).await }
    });
    let outcomes = tokio::time::timeout(Duration::from_secs(60), racing).await.expect("the commits to end");
    assert_eq!(outcomes.winners().len(), 48, "{outcomes:?}");
    let events = store.audit_events(&about(user.id, 100)).await.unwrap();
    assert_eq!(events.len(), 24);
}

/// SE5: what changes a session there was, or its user, says so: a copy of it is out of date.
pub async fn se5_a_change_says_whose_copies_it_outdates(store: &Arc<dyn Store>) {
    alone(store, async || {
        let scene = Scene::set(store).await;
        for change in scene.every_change() {
            let before = scene.sessions(store).await;
            done(store, std::slice::from_ref(&change)).await;
            let after = scene.sessions(store).await;
            let outdated = Change::outdates(std::slice::from_ref(&change));
            for (user, session) in before {
                let is_known = matches!(&outdated, Outdated::Of(users) if users.contains(&user));
                assert!(is_known || after.contains(&(user, session.clone())), "{change:?} changes {session:?}");
            }
        }
    })
    .await;
}

/// AU2: what an error says, to whoever logs it, holds no address, hash or secret.
pub async fn errors_tell_no_secrets(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let password = given::hash();
    let copy = User { id: user.id, ..given::user() };
    let token = given::issued(&**store, &user, Purpose::VerifyEmail).await;
    let same_link = Token { link: token.link, ..given::token(&user, Purpose::VerifyEmail) };
    let taken = User { email: user.email.clone(), ..given::user() };
    let failing = [
        Change::CreateUser { user: copy.clone(), password: Some(password.clone()) },
        Change::CreateUser { user: taken, password: Some(password.clone()) },
        given::issue(same_link.clone()),
    ];
    for change in failing {
        let error = store.commit(std::slice::from_ref(&change)).await.unwrap_err();
        let mut text = format!("{error} {error:?}");
        let mut cause: Option<&dyn Error> = Some(&error);
        while let Some(error) = cause {
            write!(text, " {error} {error:?}").unwrap();
            cause = error.source();
        }
        let (link, code) = (token.link.unwrap(), same_link.code.unwrap().to_bytes());
        let secrets = [
            user.email.local_part(),
            copy.email.local_part(),
            password.as_str(),
            &show::digest(&link),
            &hex(link.as_bytes()),
            &hex(&code),
        ];
        for secret in secrets {
            assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret} in {text}");
        }
    }
}

/// AU2: a store that is printed shows nothing of what it holds.
pub async fn debug_tells_nothing(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let password = account(store, user.id).await.password.unwrap();
    let text = format!("{store:?}");
    for secret in [user.email.local_part(), password.as_str(), &user.id.to_string()] {
        assert!(!text.contains(secret), "{text}");
    }
}

fn secret(session: &Session) -> Digest {
    *session.credential.secret().expect("a session of a browser")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
