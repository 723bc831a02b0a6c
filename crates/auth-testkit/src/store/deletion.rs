//! Deleting a user: all that is theirs goes, and nothing else.

use std::sync::Arc;

use auth_core::domain::{
    AuditEvent, Budget, Email, MailId, Pending, Purpose, Role, SealedMail, Session, SessionKey, Token, User,
};
use auth_core::port::{Change, CommitError, MailQuery, Rejected, Store};

use super::alone::{MAIL_TIME, alone};
use super::{about, done, found_session, rejected};
use crate::given::{self, HOUR, MINUTE, NOW, TICK};
use crate::picture::Picture;
use crate::race::race;

/// Sessions, tokens, second factors, roles, budgets and mail that isn't sent go with the user; of everybody else nothing does.
pub async fn everything_of_a_user_goes(store: &Arc<dyn Store>) {
    alone(store, async || {
        let (ann, bob) = (Estate::of(store, 0).await, Estate::of(store, 1).await);
        let nobodys = given::mail(MAIL_TIME + HOUR);
        let pending = Pending { email: given::email(), ..given::pending() };
        done(store, &[Change::Enqueue(nobodys.clone()), Change::AddPending(pending.clone())]).await;
        let bobs = Picture::of(&**store, bob.user.id).await;

        done(store, &[Change::DeleteUser { user: ann.user.id }]).await;
        assert!(store.find_user(ann.user.id).await.unwrap().is_none());
        assert!(store.find_user_by_email(&ann.user.email).await.unwrap().is_none());
        for session in [&ann.with_tokens, &ann.in_a_browser] {
            assert!(found_session(store, session.id).await.is_none());
        }
        let key = SessionKey::Secret(*ann.in_a_browser.credential.secret().unwrap());
        assert!(store.find_session(&key).await.unwrap().is_none());
        assert!(store.sessions_of(ann.user.id).await.unwrap().is_empty());
        for token in &ann.tokens {
            assert!(store.find_token(&token.link.unwrap()).await.unwrap().is_none());
            assert!(store.tokens_of(ann.user.id, token.purpose).await.unwrap().is_empty());
        }
        assert_eq!(store.totp_secrets(ann.user.id).await.unwrap(), []);
        assert!(store.recovery_codes(ann.user.id).await.unwrap().is_empty());
        // Of the budget nothing is left that would refuse a new one of that id.
        done(store, &[ann.charge()]).await;
        assert_eq!(rejected(store, &[bob.charge()]).await, Rejected::Budget);

        assert_eq!(Picture::of(&**store, bob.user.id).await, bobs);
        assert!(store.find_pending(&pending.link).await.unwrap().is_some());
        assert_eq!(store.retry_mail(None, MAIL_TIME).await.unwrap(), 1, "Bob's dead letter");
        let leased = store.lease_mail(given::id(), MAIL_TIME + HOUR, MAIL_TIME + 2 * HOUR, 10).await.unwrap();
        let mut left: Vec<MailId> = leased.iter().map(|leased| leased.mail.id).collect();
        left.sort_unstable();
        let mut expected = [nobodys.id, bob.mails[0].id, bob.mails[1].id];
        expected.sort_unstable();
        assert_eq!(left, expected);

        // The address is free, also in another spelling, and a second deletion finds nobody.
        let spelled = Email::parse(&ann.user.email.as_str().to_uppercase()).unwrap();
        done(store, &[given::create(&User { email: spelled, ..given::user() })]).await;
        assert_eq!(rejected(store, &[Change::DeleteUser { user: ann.user.id }]).await, Rejected::User);
        assert_eq!(rejected(store, &[Change::DeleteUser { user: given::id() }]).await, Rejected::User);
    })
    .await;
}

/// Audit entries by or about the user stay, without what tells of a person; everybody else's stay as they are.
pub async fn audit_entries_lose_the_person(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let at = |i: u32, actor, subject| AuditEvent { at: NOW + i * TICK, actor, subject, ..given::event(user.id) };
    let (theirs, others) = (Some(user.id), Some(other.id));
    let by_and_about = [at(6, theirs, theirs), at(5, theirs, others), at(4, others, theirs), at(3, None, theirs)];
    let rest = [at(2, others, others), at(1, None, others)];
    let before = AuditEvent { at: NOW, actor: None, subject: None, ..given::event(user.id) };
    let all = by_and_about.iter().chain(&rest).chain([&before]);
    done(store, &all.map(|event| Change::Record(event.clone())).collect::<Vec<_>>()).await;

    // What the list records after the deletion, the deletion itself, stays whole.
    let last = at(7, theirs, theirs);
    done(store, &[Change::DeleteUser { user: user.id }, Change::Record(last.clone())]).await;

    let without_person = |event: &AuditEvent| AuditEvent {
        ip: None,
        user_agent: None,
        request_id: None,
        detail: Default::default(),
        ..event.clone()
    };
    let mut expected: Vec<AuditEvent> = by_and_about.iter().map(without_person).collect();
    let of_other: Vec<AuditEvent> = expected[1..3].iter().chain(&rest).cloned().collect();
    expected.insert(0, last);
    assert_eq!(store.audit_events(&about(user.id, 100)).await.unwrap(), expected);
    assert_eq!(store.audit_events(&about(other.id, 100)).await.unwrap(), of_other);
}

/// A mail about an account that is gone names nobody, and is sent.
pub async fn mail_of_who_is_gone_names_nobody(store: &Arc<dyn Store>) {
    alone(store, async || {
        let user = given::registered(&**store).await;
        let farewell = SealedMail { user: Some(user.id), ..given::mail(MAIL_TIME) };
        done(store, &[Change::DeleteUser { user: user.id }, Change::Enqueue(farewell.clone())]).await;
        let leased = store.lease_mail(given::id(), MAIL_TIME, MAIL_TIME + MINUTE, 10).await.unwrap();
        let [leased] = &leased[..] else { panic!("{leased:?}") };
        assert_eq!((leased.mail.id, leased.mail.user), (farewell.id, None));
    })
    .await;
}

/// SE5: of 50 racing deletions one happens; no sign-in, token, second factor or mail that races them outlives the user.
pub async fn se5_nothing_outlives_the_user(store: &Arc<dyn Store>) {
    alone(store, async || {
        let user = given::registered(&**store).await;
        let outcomes = race(50, |i| {
            let change = match i % 7 {
                0 => Change::OpenSession(given::cookie_session(&user)),
                1 => given::issue(given::token(&user, Purpose::ResetPassword)),
                2 => Change::GrantRole { user: user.id, role: Role::parse("editor").unwrap() },
                3 => Change::Enqueue(SealedMail { user: Some(user.id), ..given::mail(MAIL_TIME) }),
                4 => Change::EnrolTotp(given::totp_secret(&user)),
                5 => Change::SetRecoveryCodes { user: user.id, codes: vec![given::mac()] },
                _ => Change::DeleteUser { user: user.id },
            };
            let store = store.clone();
            async move { store.commit(&[change]).await }
        })
        .await;
        let deletions = outcomes.winners().into_iter().filter(|i| i % 7 == 6).count();
        assert_eq!(deletions, 1, "{outcomes:?}");
        for (i, outcome) in outcomes.0.iter().enumerate() {
            let why = match i % 7 {
                0 => Some(Rejected::Epoch),
                1 => Some(Rejected::EmailChanged),
                // A mail is never refused: it is about nobody then.
                3 => None,
                _ => Some(Rejected::User),
            };
            let is_clean = match outcome {
                Ok(()) => true,
                Err(CommitError::Rejected(found)) => Some(*found) == why,
                Err(CommitError::Store(_)) => false,
            };
            assert!(is_clean, "{i}: {outcome:?}");
        }
        assert!(store.sessions_of(user.id).await.unwrap().is_empty());
        assert!(store.tokens_of(user.id, Purpose::ResetPassword).await.unwrap().is_empty());
        assert_eq!(store.totp_secrets(user.id).await.unwrap(), []);
        assert!(store.recovery_codes(user.id).await.unwrap().is_empty());
        let of_user = MailQuery { user: Some(user.id), limit: 100, ..Default::default() };
        assert!(store.mails(&of_user).await.unwrap().is_empty());
    })
    .await;
}

/// Everything that can be a user's.
struct Estate {
    user: User,
    with_tokens: Session,
    in_a_browser: Session,
    tokens: Vec<Token>,
    /// One that waits, and a dead letter.
    mails: [SealedMail; 2],
}

impl Estate {
    /// Its dead letter is given up before any other mail is due, so each estate needs an hour of its own.
    async fn of(store: &Arc<dyn Store>, hour: u32) -> Self {
        let user = given::registered(&**store).await;
        let at = MAIL_TIME.before((10 - hour) * HOUR);
        let mail = |at| SealedMail { user: Some(user.id), expires_at: MAIL_TIME + 24 * HOUR, ..given::mail(at) };
        let estate = Self {
            with_tokens: given::signed_in(&**store, &user).await,
            in_a_browser: given::cookie_session(&user),
            tokens: Purpose::ALL.map(|purpose| given::token(&user, purpose)).to_vec(),
            mails: [mail(MAIL_TIME + MINUTE), mail(at)],
            user,
        };
        let on = given::totp_secret(&estate.user);
        let mut changes = vec![
            Change::OpenSession(estate.in_a_browser.clone()),
            Change::GrantRole { user: estate.user.id, role: Role::parse("editor").unwrap() },
            estate.charge(),
            Change::Record(given::event(estate.user.id)),
            Change::EnrolTotp(on.clone()),
            Change::ConfirmTotp { user: on.user, factor: on.id, step: 1 },
            Change::EnrolTotp(given::totp_secret(&estate.user)),
            Change::SetRecoveryCodes { user: estate.user.id, codes: vec![given::mac(), given::mac()] },
        ];
        changes.extend(estate.tokens.iter().cloned().map(given::issue));
        changes.extend(estate.mails.iter().cloned().map(Change::Enqueue));
        done(store, &changes).await;
        let lease = given::id();
        assert_eq!(store.lease_mail(lease, at, at + MINUTE, 1).await.unwrap().len(), 1);
        assert!(store.bury_mail(estate.mails[1].id, lease, "refused").await.unwrap());
        estate
    }

    /// The one use of their budget.
    fn charge(&self) -> Change {
        Change::Charge { subject: self.user.id.into(), budget: Budget::ResetCode, limit: 1, window: HOUR, at: NOW }
    }
}
