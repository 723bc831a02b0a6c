//! Sweeping, and leases of nodes.

use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::{
    AuditEvent, Budget, MailId, Pending, Purpose, Sealed, SealedMail, Session, SessionId, Timestamp, Token, TotpSecret,
    User,
};
use auth_core::port::{Change, Claim, Claimed, Rejected, Store};

use super::alone::{SWEEP_TIME, alone};
use super::{done, found_session, rejected};
use crate::given::{self, DAY, HOUR, MINUTE, NOW, TICK};
use crate::picture::Picture;
use crate::race::race;

/// The store answers.
pub async fn answers_a_ping(store: &Arc<dyn Store>) {
    store.ping().await.unwrap();
}

/// A session's row goes at the instant it is no longer kept, ended or not, and not before.
pub async fn sweeps_sessions_no_longer_kept(store: &Arc<dyn Store>) {
    alone(store, async || {
        let user = given::registered(&**store).await;
        let first = open_kept_until(store, &user, SWEEP_TIME).await;
        let second = open_kept_until(store, &user, SWEEP_TIME + TICK).await;
        done(store, &[Change::CloseSession { user: user.id, session: second, at: NOW }]).await;

        assert_eq!(sweep(store, SWEEP_TIME.before(TICK)).await, 0);
        assert!(is_session(store, first).await);
        assert_eq!(sweep(store, SWEEP_TIME).await, 1);
        assert!(!is_session(store, first).await && is_session(store, second).await);
        assert_eq!(sweep(store, SWEEP_TIME + TICK).await, 1);
        assert!(!is_session(store, second).await);
    })
    .await;
}

/// A token goes once its link and its code are both dead.
pub async fn sweeps_tokens_all_dead(store: &Arc<dyn Store>) {
    alone(store, async || {
        let user = given::registered(&**store).await;
        let token =
            |link_until, code_until| Token { link_until, code_until, ..given::token(&user, Purpose::ResetPassword) };
        let later = SWEEP_TIME + TICK;
        let (dead, link, code) = (token(SWEEP_TIME, SWEEP_TIME), token(later, SWEEP_TIME), token(SWEEP_TIME, later));
        done(store, &[&dead, &link, &code].map(|token| given::issue(token.clone()))).await;

        let is_there = async |token: &Token| store.find_token(&token.link.unwrap()).await.unwrap().is_some();
        assert_eq!(sweep(store, SWEEP_TIME.before(TICK)).await, 0);
        assert_eq!(sweep(store, SWEEP_TIME).await, 1);
        assert!(!is_there(&dead).await && is_there(&link).await && is_there(&code).await);
        assert_eq!(sweep(store, later).await, 2);
        assert!(!is_there(&link).await && !is_there(&code).await);
    })
    .await;
}

/// A waiting registration goes once its link and its code are both dead.
pub async fn sweeps_registrations_all_dead(store: &Arc<dyn Store>) {
    alone(store, async || {
        let pending = |link_until, code_until| Pending { link_until, code_until, ..given::pending() };
        let later = SWEEP_TIME + TICK;
        let (dead, link, code) =
            (pending(SWEEP_TIME, SWEEP_TIME), pending(later, SWEEP_TIME), pending(SWEEP_TIME, later));
        done(store, &[&dead, &link, &code].map(|pending| Change::AddPending(pending.clone()))).await;

        let is_there = async |pending: &Pending| store.find_pending(&pending.link).await.unwrap().is_some();
        assert_eq!(sweep(store, SWEEP_TIME.before(TICK)).await, 0);
        assert_eq!(sweep(store, SWEEP_TIME).await, 1);
        assert!(!is_there(&dead).await && is_there(&link).await && is_there(&code).await);
        assert_eq!(sweep(store, later).await, 2);
        assert!(!is_there(&link).await && !is_there(&code).await);
    })
    .await;
}

/// An enrolment goes at the instant it expires; a secret that is on stays, however long ago it was enrolled.
pub async fn sweeps_enrolments_that_expired(store: &Arc<dyn Store>) {
    alone(store, async || {
        let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
        let until = |user, end| TotpSecret { pending_until: Some(end), ..given::totp_secret(user) };
        let on = until(&user, SWEEP_TIME);
        let confirm = Change::ConfirmTotp { user: user.id, factor: on.id, step: 1 };
        done(store, &[Change::EnrolTotp(on.clone()), confirm]).await;
        let (first, second) = (until(&user, SWEEP_TIME), until(&other, SWEEP_TIME + TICK));
        done(store, &[&first, &second].map(|secret| Change::EnrolTotp(secret.clone()))).await;

        let are_left = async |user: &User| store.totp_secrets(user.id).await.unwrap().len();
        assert_eq!(sweep(store, SWEEP_TIME.before(TICK)).await, 0);
        assert_eq!(are_left(&user).await, 2);
        assert_eq!(sweep(store, SWEEP_TIME).await, 1);
        assert_eq!((are_left(&user).await, are_left(&other).await), (1, 1));
        assert_eq!(sweep(store, SWEEP_TIME + TICK).await, 1);
        assert_eq!(are_left(&other).await, 0);
        assert_eq!(store.totp_secrets(user.id).await.unwrap()[0].id, on.id);
    })
    .await;
}

/// A budget goes when its window has ended, and not before: nobody gets attempts from a sweep.
pub async fn sweeps_budgets_that_ended(store: &Arc<dyn Store>) {
    alone(store, async || {
        let user = given::registered(&**store).await.id;
        let charge = |window: Duration| {
            let at = SWEEP_TIME.before(HOUR);
            [Change::Charge { subject: user.into(), budget: Budget::VerifyCode, limit: 1, window, at }]
        };
        done(store, &charge(HOUR)).await;
        done(store, &charge(2 * HOUR)).await;
        assert_eq!(sweep(store, SWEEP_TIME.before(TICK)).await, 0);
        assert_eq!(rejected(store, &charge(HOUR)).await, Rejected::Budget);
        assert_eq!(sweep(store, SWEEP_TIME).await, 1);
        assert_eq!(rejected(store, &charge(2 * HOUR)).await, Rejected::Budget);
        assert_eq!(sweep(store, SWEEP_TIME + HOUR).await, 1);
    })
    .await;
}

/// A kept reply goes when it expires, and not before.
pub async fn sweeps_replies_that_expired(store: &Arc<dyn Store>) {
    alone(store, async || {
        let asked_at = SWEEP_TIME.before(HOUR);
        let request = |expires_at| Claimed { claimed_until: asked_at + MINUTE, expires_at, ..given::claimed() };
        let (first, second) = (request(SWEEP_TIME), request(SWEEP_TIME + TICK));
        for request in [&first, &second] {
            assert!(matches!(store.claim(request, asked_at).await.unwrap(), Claim::Fresh));
            store.finish(&request.key, request.claim, &given::sealed()).await.unwrap();
        }
        assert_eq!(sweep(store, SWEEP_TIME.before(TICK)).await, 0);
        assert_eq!(sweep(store, SWEEP_TIME).await, 1);
        // Asked as of before, the first would still count if it were there.
        assert!(matches!(store.claim(&first, asked_at).await.unwrap(), Claim::Fresh));
        store.release(&first.key, first.claim).await.unwrap();
        assert!(matches!(store.claim(&second, asked_at).await.unwrap(), Claim::Finished { .. }));
        assert_eq!(sweep(store, SWEEP_TIME + TICK).await, 1);
    })
    .await;
}

/// Mail that is over goes some time later; mail that isn't stays.
pub async fn sweeps_mail_that_is_over(store: &Arc<dyn Store>) {
    alone(store, async || {
        let days_ago = |days: u32| SWEEP_TIME.before(days * DAY);
        let lease = given::id();
        let [sent, dead, recent] = [20, 19, 2].map(|days| mail_until(days_ago(days), SWEEP_TIME + DAY));
        for mail in [&sent, &dead, &recent] {
            done(store, &[Change::Enqueue(mail.clone())]).await;
            let at = mail.created_at;
            assert_eq!(store.lease_mail(lease, at, at + MINUTE, 10).await.unwrap().len(), 1);
            if mail.id == dead.id {
                assert!(store.bury_mail(mail.id, lease, "refused").await.unwrap());
            } else {
                assert!(store.settle_mail(mail.id, lease).await.unwrap());
            }
        }
        let waiting = mail_until(days_ago(20), SWEEP_TIME + DAY);
        done(store, &[Change::Enqueue(waiting.clone())]).await;

        assert_eq!(store.sweep(SWEEP_TIME, days_ago(30), 100).await.unwrap(), 0);
        assert_eq!(store.sweep(SWEEP_TIME, days_ago(10), 100).await.unwrap(), 2);
        assert_eq!(store.sweep(SWEEP_TIME, days_ago(1), 100).await.unwrap(), 1);
        assert_eq!(due_at(store, SWEEP_TIME).await, [waiting.id]);
    })
    .await;
}

/// Mail that nobody could send before it expired is buried, at that instant and not before.
pub async fn sweeping_buries_expired_mail(store: &Arc<dyn Store>) {
    alone(store, async || {
        let at = SWEEP_TIME.before(DAY);
        let (expired, alive) = (mail_until(at, SWEEP_TIME), mail_until(at + TICK, SWEEP_TIME + TICK));
        done(store, &[Change::Enqueue(expired.clone()), Change::Enqueue(alive.clone())]).await;

        sweep(store, SWEEP_TIME.before(TICK)).await;
        assert_eq!(due_at(store, at + HOUR).await, [expired.id, alive.id]);
        sweep(store, SWEEP_TIME).await;
        // As of a time at which neither lease nor expiry is in the way.
        assert_eq!(due_at(store, at + 3 * HOUR).await, [alive.id]);

        sweep(store, SWEEP_TIME + DAY).await;
        let gone = store.sweep(SWEEP_TIME + DAY, SWEEP_TIME + 10 * DAY, 100).await.unwrap();
        assert_eq!(gone, 2, "what was buried goes like other dead letters");
    })
    .await;
}

/// DF3: expired mail that is just being sent is left to its worker, until the lease ends.
pub async fn df3_sweeping_leaves_mail_to_its_worker(store: &Arc<dyn Store>) {
    alone(store, async || {
        let at = SWEEP_TIME.before(DAY);
        let (lease, until) = (given::id(), SWEEP_TIME + MINUTE);
        let (sent, crashed) = (mail_until(at, SWEEP_TIME), mail_until(at, SWEEP_TIME));
        done(store, &[Change::Enqueue(sent.clone()), Change::Enqueue(crashed.clone())]).await;
        assert_eq!(store.lease_mail(lease, SWEEP_TIME.before(TICK), until, 10).await.unwrap().len(), 2);
        sweep(store, SWEEP_TIME + TICK).await;
        assert!(store.settle_mail(sent.id, lease).await.unwrap());
        sweep(store, until).await;
        assert!(!store.settle_mail(crashed.id, lease).await.unwrap());
        assert_eq!(due_at(store, until).await, []);
    })
    .await;
}

/// A sweep takes no more than it was asked to of each table, so that it never holds locks for long.
pub async fn sweeps_in_batches(store: &Arc<dyn Store>) {
    alone(store, async || {
        let user = given::registered(&**store).await;
        let mut changes = Vec::new();
        for _ in 0..25 {
            changes.push(Change::OpenSession(Session { kept_until: SWEEP_TIME, ..given::session(&user) }));
        }
        done(store, &changes).await;
        for expected in [10, 10, 5, 0] {
            assert_eq!(store.sweep(SWEEP_TIME, SWEEP_TIME, 10).await.unwrap(), expected);
        }

        let first = given::token(&user, Purpose::VerifyEmail);
        let dead = Token { link_until: SWEEP_TIME, code_until: SWEEP_TIME, ..first };
        let session = Session { kept_until: SWEEP_TIME, ..given::session(&user) };
        done(store, &[given::issue(dead), Change::OpenSession(session)]).await;
        let swept = store.sweep(SWEEP_TIME, SWEEP_TIME, 1).await.unwrap();
        assert!(swept >= 1, "less than the limit would mean that it is done");
        store.sweep(SWEEP_TIME, SWEEP_TIME, 1).await.unwrap();
        assert_eq!(store.sweep(SWEEP_TIME, SWEEP_TIME, u32::MAX).await.unwrap(), 0);
    })
    .await;
}

/// What isn't over stays as it is.
pub async fn sweeping_leaves_the_rest(store: &Arc<dyn Store>) {
    alone(store, async || {
        let user = given::registered(&**store).await;
        given::signed_in(&**store, &user).await;
        given::issued(&**store, &user, Purpose::VerifyEmail).await;
        let long_ago = SWEEP_TIME.before(1000 * DAY);
        let (event, pending) = (AuditEvent { at: long_ago, ..given::event(user.id) }, given::pending());
        let codes = Change::SetRecoveryCodes { user: user.id, codes: vec![given::mac()] };
        done(store, &[Change::Record(event), Change::AddPending(pending.clone()), codes]).await;
        let before = Picture::of(&**store, user.id).await;
        assert_eq!(sweep(store, SWEEP_TIME).await, 0);
        assert!(store.find_pending(&pending.link).await.unwrap().is_some());
        assert_eq!(Picture::of(&**store, user.id).await, before);
    })
    .await;
}

/// A lease has one holder, who may renew it, to a shorter time as well.
pub async fn lease_has_one_holder(store: &Arc<dyn Store>) {
    let (name, holder, other) = (lease_name("sweep"), given::id(), given::id());
    assert!(store.acquire(&name, holder, NOW, NOW + HOUR).await.unwrap());
    assert!(!store.acquire(&name, other, NOW, NOW + HOUR).await.unwrap());
    assert!(store.acquire(&name, holder, NOW + MINUTE, NOW + 2 * HOUR).await.unwrap());
    assert!(!store.acquire(&name, other, NOW + HOUR, NOW + 2 * HOUR).await.unwrap());
    assert!(store.acquire(&lease_name("other"), other, NOW, NOW + HOUR).await.unwrap());

    assert!(store.acquire(&name, holder, NOW + HOUR, NOW + HOUR).await.unwrap());
    assert!(store.acquire(&name, other, NOW + HOUR, NOW + 2 * HOUR).await.unwrap());
    assert!(!store.acquire(&name, holder, NOW + HOUR, NOW + 2 * HOUR).await.unwrap());
}

/// A lease is held until the instant it ends, and free from then on.
pub async fn lease_ends_to_the_microsecond(store: &Arc<dyn Store>) {
    let (name, until) = (lease_name("sweep"), NOW + HOUR);
    assert!(store.acquire(&name, given::id(), NOW, until).await.unwrap());
    assert!(!store.acquire(&name, given::id(), until.before(TICK), until + HOUR).await.unwrap());
    assert!(store.acquire(&name, given::id(), until, until + HOUR).await.unwrap());
}

/// Of 50 nodes that race for a lease one has it: for a new one, and for one that has ended.
pub async fn lease_race_has_one_winner(store: &Arc<dyn Store>) {
    let name = lease_name("sweep");
    for now in [NOW, NOW + HOUR] {
        let outcomes = race(50, |_| {
            let (store, name) = (store.clone(), name.clone());
            async move { store.acquire(&name, given::id(), now, now + HOUR).await.unwrap() }
        })
        .await;
        assert_eq!(outcomes.0.iter().filter(|acquired| **acquired).count(), 1);
    }
}

/// Names are compared as they are written.
pub async fn lease_names_differ_by_case(store: &Arc<dyn Store>) {
    let name = lease_name("sweep");
    for name in [name.to_uppercase(), name] {
        assert!(store.acquire(&name, given::id(), NOW, NOW + HOUR).await.unwrap(), "{name}");
    }
}

/// Sweeps all that is over at `now`, but no mail.
async fn sweep(store: &Arc<dyn Store>, now: Timestamp) -> u64 {
    store.sweep(now, SWEEP_TIME.before(10_000 * DAY), 100).await.unwrap()
}

async fn open_kept_until(store: &Arc<dyn Store>, user: &User, kept_until: Timestamp) -> SessionId {
    let session = Session { kept_until, ..given::session(user) };
    done(store, &[Change::OpenSession(session.clone())]).await;
    session.id
}

async fn is_session(store: &Arc<dyn Store>, id: SessionId) -> bool {
    found_session(store, id).await.is_some()
}

fn mail_until(created_at: Timestamp, expires_at: Timestamp) -> SealedMail {
    SealedMail { expires_at, body: Sealed::from_bytes([1, 2, 3]), ..given::mail(created_at) }
}

async fn due_at(store: &Arc<dyn Store>, now: Timestamp) -> Vec<MailId> {
    let leased = store.lease_mail(given::id(), now, now + MINUTE, 100).await.unwrap();
    leased.into_iter().map(|leased| leased.mail.id).collect()
}

fn lease_name(name: &str) -> String {
    format!("{name}-{}", given::id::<SessionId>())
}
