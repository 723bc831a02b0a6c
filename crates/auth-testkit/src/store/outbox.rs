//! The outbox: mail is leased, then sent, put off or given up.

use std::collections::BTreeMap;
use std::sync::Arc;

use auth_core::domain::{Email, LeaseId, LeasedMail, MailId, MailKind, Sealed, SealedMail, Timestamp};
use auth_core::port::{Change, Store};

use super::alone::{MAIL_TIME, alone};
use super::done;
use crate::given::{self, DAY, HOUR, MINUTE, TICK};
use crate::race::race;
use crate::show;

/// What was enqueued is leased, every field of it.
pub async fn enqueued_is_leased(store: &Arc<dyn Store>) {
    alone(store, async || {
        let typed = Email::parse(&given::email_with("Zoë.Example").as_str().replace("example.com", "BÜCHER.example"));
        let mails = [
            given::mail(MAIL_TIME),
            SealedMail { kind: MailKind::Reset, to: typed.unwrap(), ..given::mail(MAIL_TIME + TICK) },
            SealedMail {
                kind: MailKind::Notice,
                body: Sealed::from_bytes(vec![0xff; 20_000]),
                expires_at: MAIL_TIME + 3 * DAY + TICK,
                ..given::mail(MAIL_TIME + 2 * TICK)
            },
        ];
        enqueue(store, &mails).await;
        let lease = given::id();
        let leased = lease_at(store, lease, MAIL_TIME + HOUR).await;
        let expected = mails.map(|mail| show::leased(&LeasedMail { mail, lease, attempts: 1 }));
        assert_eq!(leased.iter().map(show::leased).collect::<Vec<_>>(), expected);
    })
    .await;
}

/// Mail is due at the instant it was enqueued.
pub async fn due_at_once(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [mail] = enqueue_at(store, [MAIL_TIME]).await;
        assert_eq!(ids(&lease_at(store, given::id(), MAIL_TIME).await), [mail]);
    })
    .await;
}

/// Mail is leased oldest first, no more of it than was asked for.
pub async fn leased_oldest_first(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [c, a, d, b, e] = enqueue_at(store, [3, 1, 4, 2, 5].map(|i| MAIL_TIME + i * MINUTE)).await;
        let (now, until) = (MAIL_TIME + HOUR, MAIL_TIME + 2 * HOUR);
        assert_eq!(ids(&store.lease_mail(given::id(), now, until, 0).await.unwrap()), []);
        assert_eq!(ids(&store.lease_mail(given::id(), now, until, 2).await.unwrap()), [a, b]);
        assert_eq!(ids(&store.lease_mail(given::id(), now, until, 2).await.unwrap()), [c, d]);
        assert_eq!(ids(&store.lease_mail(given::id(), now, until, u32::MAX).await.unwrap()), [e]);
        assert_eq!(ids(&store.lease_mail(given::id(), now, until, 2).await.unwrap()), []);
    })
    .await;
}

/// DF2: mail is leased by nobody else until the instant the lease ends, and by anybody from then on.
pub async fn leased_until_the_lease_ends(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [mail] = enqueue_at(store, [MAIL_TIME]).await;
        let until = MAIL_TIME + MINUTE;
        assert_eq!(ids(&store.lease_mail(given::id(), MAIL_TIME, until, 10).await.unwrap()), [mail]);
        for now in [MAIL_TIME, until.before(TICK)] {
            assert_eq!(ids(&store.lease_mail(given::id(), now, now + MINUTE, 10).await.unwrap()), []);
        }
        let second = given::id();
        let leased = store.lease_mail(second, until, until + MINUTE, 10).await.unwrap();
        assert_eq!(ids(&leased), [mail]);
        assert_eq!((leased[0].lease, leased[0].attempts), (second, 2));
    })
    .await;
}

/// DF3: of 50 workers that race for one mail, one has it.
pub async fn df3_lease_race_has_one_winner(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [mail] = enqueue_at(store, [MAIL_TIME]).await;
        let outcomes = race(50, |_| {
            let store = store.clone();
            async move { lease_at(&store, given::id(), MAIL_TIME).await }
        })
        .await;
        let leased: Vec<LeasedMail> = outcomes.0.into_iter().flatten().collect();
        assert_eq!(ids(&leased), [mail], "{leased:?}");
        assert!(store.settle_mail(mail, leased[0].lease).await.unwrap());
    })
    .await;
}

/// DF3: workers that lease at once share the mail: each has its own, and none is left over.
pub async fn df3_workers_share_without_overlap(store: &Arc<dyn Store>) {
    alone(store, async || {
        let mails: [MailId; 40] = enqueue_at(store, std::array::from_fn(|i| MAIL_TIME + (i as u32) * TICK)).await;
        let outcomes = race(8, |_| {
            let store = store.clone();
            async move { store.lease_mail(given::id(), MAIL_TIME + HOUR, MAIL_TIME + 2 * HOUR, 7).await.unwrap() }
        })
        .await;
        let mut leased: Vec<LeasedMail> = Vec::new();
        for batch in outcomes.0 {
            assert!(batch.len() <= 7);
            leased.extend(batch);
        }
        // A worker may pass over what another is just leasing; it finds it the next time.
        leased.extend(lease_at(store, given::id(), MAIL_TIME + HOUR).await);

        let mut times_leased: BTreeMap<MailId, u32> = BTreeMap::new();
        for mail in &leased {
            *times_leased.entry(mail.mail.id).or_default() += 1;
            assert_eq!(mail.attempts, 1);
        }
        assert_eq!(times_leased, mails.map(|mail| (mail, 1)).into());
    })
    .await;
}

/// What was sent is over: nobody gets it again, and nothing more can be done with it.
pub async fn settled_is_over(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [mail, other] = enqueue_at(store, [MAIL_TIME, MAIL_TIME + HOUR]).await;
        let lease = given::id();
        lease_at(store, lease, MAIL_TIME).await;
        assert!(store.settle_mail(mail, lease).await.unwrap());

        assert!(!store.settle_mail(mail, lease).await.unwrap());
        assert!(!store.postpone_mail(mail, lease, MAIL_TIME, "again").await.unwrap());
        assert!(!store.bury_mail(mail, lease, "after all").await.unwrap());
        assert_eq!(ids(&lease_at(store, given::id(), MAIL_TIME + DAY).await), [other]);
    })
    .await;
}

/// A worker that is late, but whose mail nobody else has taken, settles it: otherwise it would be sent twice.
pub async fn settled_late_is_settled(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [mail] = enqueue_at(store, [MAIL_TIME]).await;
        let lease = given::id();
        store.lease_mail(lease, MAIL_TIME, MAIL_TIME + TICK, 1).await.unwrap();
        assert!(store.settle_mail(mail, lease).await.unwrap());
        assert_eq!(ids(&lease_at(store, given::id(), MAIL_TIME + DAY).await), []);
    })
    .await;
}

/// DF3: who has lost a lease can do nothing to the mail, nor can who never had one.
pub async fn lost_lease_changes_nothing(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [mail] = enqueue_at(store, [MAIL_TIME]).await;
        let (lost, holder) = (given::id(), given::id());
        store.lease_mail(lost, MAIL_TIME, MAIL_TIME + MINUTE, 1).await.unwrap();
        store.lease_mail(holder, MAIL_TIME + MINUTE, MAIL_TIME + 2 * MINUTE, 1).await.unwrap();
        for (mail, lease) in [(mail, lost), (mail, given::id()), (given::id(), holder)] {
            assert!(!store.settle_mail(mail, lease).await.unwrap());
            assert!(!store.postpone_mail(mail, lease, MAIL_TIME, "lost").await.unwrap());
            assert!(!store.bury_mail(mail, lease, "lost").await.unwrap());
        }
        let still_leased = (MAIL_TIME + 2 * MINUTE).before(TICK);
        assert_eq!(ids(&lease_at(store, given::id(), still_leased).await), []);
        assert!(store.settle_mail(mail, holder).await.unwrap());
    })
    .await;
}

/// What was put off comes back at its time, with its attempts counted.
pub async fn postponed_comes_back(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [mail] = enqueue_at(store, [MAIL_TIME]).await;
        let lease = given::id();
        let first = store.lease_mail(lease, MAIL_TIME, MAIL_TIME + DAY, 1).await.unwrap();
        let due = MAIL_TIME + HOUR;
        let reason = "451 4.7.1 „später“ 🦀 ".repeat(20);
        assert!(store.postpone_mail(mail, lease, due, &reason).await.unwrap());
        assert!(!store.settle_mail(mail, lease).await.unwrap(), "the lease is given back");

        assert_eq!(ids(&lease_at(store, given::id(), due.before(TICK)).await), []);
        let again = lease_at(store, lease, due).await;
        assert_eq!(ids(&again), [mail]);
        assert_eq!(again[0].attempts, 2);
        assert_eq!(show::mail(&again[0].mail), show::mail(&first[0].mail), "the mail is the same as before");
    })
    .await;
}

/// What was given up is over.
pub async fn buried_is_over(store: &Arc<dyn Store>) {
    alone(store, async || {
        let [mail] = enqueue_at(store, [MAIL_TIME]).await;
        let lease = given::id();
        lease_at(store, lease, MAIL_TIME).await;
        assert!(store.bury_mail(mail, lease, "550 5.1.1 no such user").await.unwrap());
        assert!(!store.settle_mail(mail, lease).await.unwrap());
        assert!(!store.bury_mail(mail, lease, "once more").await.unwrap());
        assert_eq!(ids(&lease_at(store, given::id(), MAIL_TIME + DAY).await), []);
    })
    .await;
}

async fn enqueue(store: &Arc<dyn Store>, mails: &[SealedMail]) {
    let changes: Vec<Change> = mails.iter().cloned().map(Change::Enqueue).collect();
    done(store, &changes).await;
}

/// One mail for each of `times`, good for long.
async fn enqueue_at<const N: usize>(store: &Arc<dyn Store>, times: [Timestamp; N]) -> [MailId; N] {
    let mails = times.map(|at| SealedMail { expires_at: at + 100 * DAY, ..given::mail(at) });
    enqueue(store, &mails).await;
    mails.map(|mail| mail.id)
}

async fn lease_at(store: &Arc<dyn Store>, lease: LeaseId, now: Timestamp) -> Vec<LeasedMail> {
    store.lease_mail(lease, now, now + MINUTE, 100).await.unwrap()
}

fn ids(leased: &[LeasedMail]) -> Vec<MailId> {
    leased.iter().map(|leased| leased.mail.id).collect()
}
