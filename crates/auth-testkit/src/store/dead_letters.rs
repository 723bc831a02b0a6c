//! The outbox as operators see it: what is in it, what was given up, and trying that again.

use std::sync::Arc;

use auth_core::domain::{
    Backlog, Email, LeaseId, LeasedMail, MailId, MailKind, MailRecord, MailState, SealedMail, Timestamp,
};
use auth_core::port::{Change, MailQuery, Store};

use super::alone::{MAIL_TIME, SWEEP_TIME, alone};
use super::done;
use crate::given::{self, DAY, HOUR, MINUTE, TICK};
use crate::race::race;
use crate::show;

/// What is told of a mail is what it is and how far it got, in every state.
pub async fn mails_tell_how_far_they_got(store: &Arc<dyn Store>) {
    alone(store, async || {
        let user = given::registered(&**store).await;
        let to = Email::parse(&given::email_with("Zoë").as_str().replace("example.com", "BÜCHER.example")).unwrap();
        let kinds = [
            MailKind::Verify,
            MailKind::Reset,
            MailKind::Exists,
            MailKind::ChangeEmail,
            MailKind::Notice,
            MailKind::Reset,
        ];
        let mut mails = Vec::new();
        for (kind, minute) in kinds.into_iter().zip(0..) {
            let at = MAIL_TIME + minute * MINUTE;
            mails.push(SealedMail { user: Some(user.id), to: to.clone(), kind, ..given::mail(at) });
        }
        enqueue(store, &mails).await;
        let [settled, buried, postponed, settled_late, leased, queued] = &mails[..] else { unreachable!() };

        let lease = given::id();
        assert_eq!(lease_at(store, lease, queued.created_at.before(TICK)).await.len(), 5);
        assert!(store.settle_mail(settled.id, lease).await.unwrap());
        assert!(store.bury_mail(buried.id, lease, "550 5.1.1 „niemand“ 🦀").await.unwrap());
        for mail in [postponed, settled_late] {
            assert!(store.postpone_mail(mail.id, lease, MAIL_TIME + HOUR, "451 4.7.1 later").await.unwrap());
        }
        let again = given::id();
        store.lease_mail(again, MAIL_TIME + HOUR, MAIL_TIME + 2 * HOUR, 10).await.unwrap();
        assert!(store.settle_mail(settled_late.id, again).await.unwrap());
        assert!(store.postpone_mail(postponed.id, again, MAIL_TIME + DAY, "452 4.2.2 full").await.unwrap());

        let told = [
            (settled, MailState::Sent, 1, None),
            (buried, MailState::Dead, 1, Some("550 5.1.1 „niemand“ 🦀")),
            (postponed, MailState::Queued, 2, Some("452 4.2.2 full")),
            (settled_late, MailState::Sent, 2, Some("451 4.7.1 later")),
            (leased, MailState::Queued, 2, None),
            (queued, MailState::Queued, 1, None),
        ];
        let mut expected = told.map(|(mail, state, attempts, reason)| MailRecord {
            id: mail.id,
            user: mail.user,
            to: mail.to.clone(),
            kind: mail.kind,
            state,
            created_at: mail.created_at,
            expires_at: mail.expires_at,
            attempts,
            reason: reason.map(str::to_owned),
        });
        expected.sort_unstable_by_key(|record| std::cmp::Reverse(record.id));
        let found = store.mails(&MailQuery { user: Some(user.id), limit: 100, ..MailQuery::default() }).await.unwrap();
        assert_eq!(shown(&found), shown(&expected));
    })
    .await;
}

/// Mails are listed by user and by state, newest first, page by page.
pub async fn mails_are_listed_by_user_and_state(store: &Arc<dyn Store>) {
    alone(store, async || {
        let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
        let mail = |user| SealedMail { user, ..given::mail(MAIL_TIME) };
        let mut theirs: Vec<SealedMail> = (0..9).map(|_| mail(Some(user.id))).collect();
        theirs.sort_unstable_by_key(|mail| std::cmp::Reverse(mail.id));
        enqueue(store, &theirs).await;
        let lease = given::id();
        lease_at(store, lease, MAIL_TIME).await;
        for (i, mail) in theirs.iter().enumerate() {
            match i % 3 {
                0 => assert!(store.bury_mail(mail.id, lease, "refused").await.unwrap()),
                1 => assert!(store.settle_mail(mail.id, lease).await.unwrap()),
                _ => {}
            }
        }
        let others = mail(Some(other.id));
        enqueue(store, &[others.clone(), mail(None)]).await;

        let all = MailQuery { user: Some(user.id), limit: 100, ..MailQuery::default() };
        let ids: Vec<MailId> = theirs.iter().map(|mail| mail.id).collect();
        assert_eq!(listed(store, &all).await, ids);
        for (first, state) in [(0, MailState::Dead), (1, MailState::Sent), (2, MailState::Queued)] {
            let expected: Vec<MailId> = ids.iter().skip(first).step_by(3).copied().collect();
            let of_state = MailQuery { state: Some(state), ..all.clone() };
            assert_eq!(listed(store, &of_state).await, expected);
            let rest = MailQuery { before: Some(expected[0]), ..of_state.clone() };
            assert_eq!(listed(store, &rest).await, expected[1..]);
            assert_eq!(listed(store, &MailQuery { limit: 1, ..rest }).await, expected[1..2]);
        }
        assert_eq!(listed(store, &MailQuery { user: Some(other.id), ..all.clone() }).await, [others.id]);
        assert_eq!(listed(store, &MailQuery { before: Some(ids[6]), ..all.clone() }).await, ids[7..]);
        assert_eq!(listed(store, &MailQuery { limit: 0, ..all }).await, []);

        // Those of everybody, in the same order.
        let everybody = MailQuery { before: Some(ids[0]), limit: u32::MAX, ..MailQuery::default() };
        let everybody = listed(store, &everybody).await;
        assert!(everybody.is_sorted_by_key(|id| std::cmp::Reverse(*id)));
        assert_eq!(everybody.into_iter().filter(|id| ids.contains(id)).collect::<Vec<_>>(), ids[1..]);
    })
    .await;
}

/// A dead letter that is put up again is due at once, as it was sealed, as if it had never been tried.
pub async fn retried_is_what_it_was(store: &Arc<dyn Store>) {
    alone(store, async || {
        let mail = given::mail(MAIL_TIME);
        enqueue(store, std::slice::from_ref(&mail)).await;
        let lease = given::id();
        lease_at(store, lease, MAIL_TIME).await;
        assert!(store.postpone_mail(mail.id, lease, MAIL_TIME + MINUTE, "later").await.unwrap());
        lease_at(store, lease, MAIL_TIME + MINUTE).await;
        assert!(store.bury_mail(mail.id, lease, "refused").await.unwrap());
        assert_eq!(lease_at(store, given::id(), MAIL_TIME + 2 * HOUR).await.len(), 0);

        let now = MAIL_TIME + 3 * HOUR;
        assert_eq!(store.retry_mail(Some(mail.id), now).await.unwrap(), 1);
        assert_eq!(store.retry_mail(Some(mail.id), now).await.unwrap(), 0, "it is no dead letter any more");
        assert!(!store.settle_mail(mail.id, lease).await.unwrap(), "the lease isn't revived");
        assert_eq!(lease_at(store, given::id(), now.before(TICK)).await.len(), 0);
        let leased = lease_at(store, lease, now).await;
        let expected = LeasedMail { mail, lease, attempts: 1 };
        assert_eq!(leased.iter().map(show::leased).collect::<Vec<_>>(), [show::leased(&expected)]);
        assert!(store.settle_mail(expected.mail.id, lease).await.unwrap());
    })
    .await;
}

/// Only dead letters are retried, that one or all: what is queued, being sent or sent stays as it is.
pub async fn only_dead_letters_are_retried(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [first, second, sent, leased, queued] = [0, 1, 2, 3, 10].map(|i| given::mail(MAIL_TIME + i * MINUTE));
        enqueue(store, &[&first, &second, &sent, &leased, &queued].map(Clone::clone)).await;
        let (lease, now) = (given::id(), MAIL_TIME + 5 * MINUTE);
        store.lease_mail(lease, now, now + HOUR, 10).await.unwrap();
        for mail in [&first, &second] {
            assert!(store.bury_mail(mail.id, lease, "refused").await.unwrap());
        }
        assert!(store.settle_mail(sent.id, lease).await.unwrap());

        for other in [sent.id, leased.id, queued.id, given::id()] {
            assert_eq!(store.retry_mail(Some(other), now).await.unwrap(), 0);
        }
        assert_eq!(store.retry_mail(Some(first.id), now).await.unwrap(), 1);
        assert_eq!(leased_ids(store, now).await, [first.id]);
        assert_eq!(store.retry_mail(None, now).await.unwrap(), 1);
        assert_eq!(leased_ids(store, now).await, [second.id]);
        assert_eq!(store.retry_mail(None, now).await.unwrap(), 0);
        assert!(store.settle_mail(leased.id, lease).await.unwrap(), "its lease wasn't touched");
        assert_eq!(leased_ids(store, queued.created_at).await, [first.id, second.id, queued.id]);
    })
    .await;
}

/// A dead letter that has expired stays dead: its link and code are of no use any more.
pub async fn expired_stays_dead(store: &Arc<dyn Store>) {
    alone(store, async || {
        let mail = given::mail(MAIL_TIME);
        enqueue(store, std::slice::from_ref(&mail)).await;
        let lease = given::id();
        lease_at(store, lease, MAIL_TIME).await;
        assert!(store.bury_mail(mail.id, lease, "refused").await.unwrap());
        for which in [None, Some(mail.id)] {
            for now in [mail.expires_at, mail.expires_at + TICK] {
                assert_eq!(store.retry_mail(which, now).await.unwrap(), 0);
            }
        }
        assert_eq!(store.retry_mail(None, mail.expires_at.before(TICK)).await.unwrap(), 1);
    })
    .await;
}

/// DF6: a dead letter whose body a sweep has erased is never sent, also where a clock is behind the sweep's.
pub async fn df6_erased_stays_dead(store: &Arc<dyn Store>) {
    alone(store, async || {
        let at = SWEEP_TIME.before(DAY);
        let [erased, kept] =
            [SWEEP_TIME, SWEEP_TIME + TICK].map(|expires_at| SealedMail { expires_at, ..given::mail(at) });
        enqueue(store, &[erased.clone(), kept.clone()]).await;
        let lease = given::id();
        lease_at(store, lease, at).await;
        for mail in [&erased, &kept] {
            assert!(store.bury_mail(mail.id, lease, "refused").await.unwrap());
        }
        store.sweep(SWEEP_TIME, at, 100).await.unwrap();
        assert_eq!(store.retry_mail(Some(erased.id), at + HOUR).await.unwrap(), 0);
        assert_eq!(store.retry_mail(Some(kept.id), at + HOUR).await.unwrap(), 1);
        let leased = lease_at(store, lease, at + HOUR).await;
        assert_eq!(leased.iter().map(|leased| show::mail(&leased.mail)).collect::<Vec<_>>(), [show::mail(&kept)]);
    })
    .await;
}

/// Of 20 operators who retry one dead letter at once, one does.
pub async fn retry_race_has_one_winner(store: &Arc<dyn Store>) {
    alone(store, async || {
        let mail = given::mail(MAIL_TIME);
        enqueue(store, std::slice::from_ref(&mail)).await;
        let lease = given::id();
        lease_at(store, lease, MAIL_TIME).await;
        assert!(store.bury_mail(mail.id, lease, "refused").await.unwrap());
        let outcomes = race(20, |i| {
            let (store, which) = (store.clone(), (i % 2 == 0).then_some(mail.id));
            async move { store.retry_mail(which, MAIL_TIME + HOUR).await.unwrap() }
        })
        .await;
        assert_eq!(outcomes.0.iter().sum::<u64>(), 1, "{outcomes:?}");
        assert_eq!(leased_ids(store, MAIL_TIME + HOUR).await, [mail.id]);
    })
    .await;
}

/// The backlog counts what waits, what is being sent with it, and what was given up.
pub async fn backlog_counts_what_waits(store: &Arc<dyn Store>) {
    alone(store, async || {
        let before = store.backlog().await.unwrap();
        let [sent, dead, leased, queued] = [1, 2, 3, 4].map(|i| given::mail(MAIL_TIME + i * MINUTE));
        enqueue(store, &[&sent, &dead, &leased, &queued].map(Clone::clone)).await;
        let since = |now: Backlog| (now.queued - before.queued, now.oldest, now.dead - before.dead);
        assert_eq!(since(store.backlog().await.unwrap()), (4, Some(sent.created_at), 0));

        let lease = given::id();
        assert_eq!(lease_at(store, lease, leased.created_at).await.len(), 3);
        assert!(store.settle_mail(sent.id, lease).await.unwrap());
        assert_eq!(since(store.backlog().await.unwrap()), (3, Some(dead.created_at), 0));
        assert!(store.bury_mail(dead.id, lease, "refused").await.unwrap());
        assert_eq!(since(store.backlog().await.unwrap()), (2, Some(leased.created_at), 1));
        assert_eq!(store.retry_mail(Some(dead.id), MAIL_TIME + HOUR).await.unwrap(), 1);
        // Since when it has waited is told by when it was enqueued, not by when it is due.
        assert_eq!(since(store.backlog().await.unwrap()), (3, Some(dead.created_at), 0));
    })
    .await;
}

async fn enqueue(store: &Arc<dyn Store>, mails: &[SealedMail]) {
    done(store, &mails.iter().cloned().map(Change::Enqueue).collect::<Vec<_>>()).await;
}

async fn lease_at(store: &Arc<dyn Store>, lease: LeaseId, now: Timestamp) -> Vec<LeasedMail> {
    store.lease_mail(lease, now, now + MINUTE, 100).await.unwrap()
}

/// The mails that are due, leased for a moment.
async fn leased_ids(store: &Arc<dyn Store>, now: Timestamp) -> Vec<MailId> {
    let leased = store.lease_mail(given::id(), now, now + TICK, 100).await.unwrap();
    leased.into_iter().map(|leased| leased.mail.id).collect()
}

async fn listed(store: &Arc<dyn Store>, query: &MailQuery) -> Vec<MailId> {
    store.mails(query).await.unwrap().into_iter().map(|record| record.id).collect()
}

fn shown(records: &[MailRecord]) -> Vec<String> {
    records.iter().map(show::mail_record).collect()
}
