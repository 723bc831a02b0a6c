//! What the checks of commits act on: one of everything.

use std::sync::Arc;

use auth_core::domain::{
    Budget, Epoch, MailId, PepperCheck, ProfileEdit, Purpose, SealedMail, Session, SigningKey, Status, Token, User,
    UserId,
};
use auth_core::port::{Change, Rejected, Store};

use super::alone::MAIL_TIME;
use super::{done, found_session, rejected};
use crate::given::{self, DAY, HOUR, MINUTE, NOW};
use crate::picture::Picture;
use crate::show;

/// A user with one of everything, and what to do with it.
pub(super) struct Scene {
    pub(super) user: User,
    session: Session,
    second_session: Session,
    token: Token,
    reset: Token,
    key: SigningKey,
    /// These are not stored yet.
    pub(super) newcomer: User,
    new_session: Session,
    pub(super) mail: SealedMail,
    new_key: SigningKey,
    new_pepper_check: PepperCheck,
}

impl Scene {
    pub(super) async fn set(store: &Arc<dyn Store>) -> Self {
        let user = given::registered(&**store).await;
        let session = given::signed_in(&**store, &user).await;
        let second_session = given::signed_in(&**store, &user).await;
        let token = given::issued(&**store, &user, Purpose::VerifyEmail).await;
        let reset = given::issued(&**store, &user, Purpose::ResetPassword).await;
        let key = given::signing_key();
        let charge =
            Change::Charge { subject: user.id.into(), budget: Budget::VerifyCode, limit: 1, window: HOUR, at: NOW };
        done(store, &[Change::AddSigningKey(key.clone()), charge, Change::Record(given::event(user.id))]).await;
        Self {
            newcomer: given::user(),
            new_session: given::session(&user),
            mail: given::mail(MAIL_TIME),
            new_key: given::signing_key(),
            new_pepper_check: given::pepper_check(),
            user,
            session,
            second_session,
            token,
            reset,
            key,
        }
    }

    /// Every kind of change, each with its precondition true at that place of the list.
    pub(super) fn every_change(&self) -> Vec<Change> {
        let user = self.user.id;
        let at = NOW + HOUR;
        let late = NOW + DAY;
        vec![
            given::create(&self.newcomer),
            edit_profile(user),
            Change::VerifyEmail { user, email: self.user.email.clone(), at },
            Change::Charge { subject: user.into(), budget: Budget::VerifyCode, limit: 2, window: HOUR, at: NOW },
            Change::Charge { subject: user.into(), budget: Budget::ResetCode, limit: 1, window: HOUR, at: NOW },
            Change::ClaimAttempt { user, token: self.token.id, limit: 1 },
            Change::SpendToken { user, token: self.token.id },
            given::issue(given::token(&self.user, Purpose::VerifyEmail)),
            given::issue(given::token(&self.user, Purpose::ResetPassword)),
            Change::TrimTokens { user, purpose: Purpose::ResetPassword, keep: 1 },
            Change::DropTokens { user, purpose: Purpose::VerifyEmail },
            Change::Forgive { subject: user.into(), budget: Budget::VerifyCode },
            Change::TouchSession { user, session: self.session.id, at, idle_until: late },
            Change::RotateRefresh { user, session: self.session.id, from: 0, at, idle_until: late, kept_until: late },
            Change::CloseSession { user, session: self.second_session.id, at },
            Change::OpenSession(self.new_session.clone()),
            Change::AdvanceEpoch { user },
            Change::SetPassword { user, epoch: Epoch::FIRST.next(), password: given::hash() },
            Change::SetStatus { user, status: Status::Suspended },
            Change::AddSigningKey(self.new_key.clone()),
            Change::AddPepperCheck(self.new_pepper_check.clone()),
            Change::Enqueue(self.mail.clone()),
            Change::Record(given::event(user)),
        ]
    }

    /// A change for each reason there is to reject it.
    pub(super) fn offences(&self) -> Vec<(Change, Rejected)> {
        let user = self.user.id;
        let taken = User { email: self.user.email.clone(), ..given::user() };
        let elsewhere = Token { account: Some(given::email()), ..given::token(&self.user, Purpose::VerifyEmail) };
        let key = SigningKey { number: self.key.number, ..given::signing_key() };
        vec![
            (given::create(&taken), Rejected::EmailTaken),
            (given::issue(elsewhere), Rejected::EmailChanged),
            (Change::AdvanceEpoch { user: given::id() }, Rejected::User),
            (Change::SetPassword { user, epoch: Epoch::FIRST.next(), password: given::hash() }, Rejected::Epoch),
            (Change::SpendToken { user, token: given::id() }, Rejected::Token),
            (Change::ClaimAttempt { user, token: self.token.id, limit: 0 }, Rejected::Attempts),
            (
                Change::Charge { subject: user.into(), budget: Budget::VerifyCode, limit: 1, window: HOUR, at: NOW },
                Rejected::Budget,
            ),
            (Change::CloseSession { user, session: given::id(), at: NOW }, Rejected::Session),
            (Change::AddSigningKey(key), Rejected::Key),
        ]
    }

    /// All that the ports show of what the lists above touch.
    pub(super) async fn picture(&self, store: &Arc<dyn Store>) -> Vec<String> {
        let mut lines = Vec::new();
        for user in [self.user.id, self.newcomer.id] {
            lines.push(format!("{:?}", Picture::of(&**store, user).await));
        }
        for session in [&self.session, &self.second_session, &self.new_session] {
            let found = found_session(store, session.id).await;
            lines.push(format!("{:?}", found.map(|found| show::session(&found.session))));
        }
        for token in [&self.token, &self.reset] {
            let found = store.find_token(&token.link.unwrap()).await.unwrap();
            lines.push(format!("{:?}", found.map(|found| show::token(&found.token))));
        }
        let keys = store.signing_keys().await.unwrap();
        let is_ours = |number| [self.key.number, self.new_key.number].contains(&number);
        lines.extend(keys.iter().filter(|key| is_ours(key.number)).map(show::signing_key));
        let checks = store.pepper_checks().await.unwrap();
        let ours = checks.iter().filter(|check| check.key == self.new_pepper_check.key);
        lines.extend(ours.map(show::pepper_check));
        lines.extend(self.mail_in_outbox(store).await.map(|mail| mail.to_string()));
        lines.push(format!("budget left: {}", self.uses_left(store).await));
        lines
    }

    /// The mail's id if it is in the outbox. Looks by leasing, and gives it back.
    async fn mail_in_outbox(&self, store: &Arc<dyn Store>) -> Option<MailId> {
        let lease = given::id();
        let leased = store.lease_mail(lease, MAIL_TIME, MAIL_TIME + MINUTE, 10).await.unwrap();
        for mail in &leased {
            assert!(store.postpone_mail(mail.mail.id, lease, MAIL_TIME, "only looked").await.unwrap());
        }
        leased.first().map(|leased| leased.mail.id)
    }

    /// How many of two uses the budget has left. Looks by using it in a list that is rejected at its end.
    async fn uses_left(&self, store: &Arc<dyn Store>) -> usize {
        let user = self.user.id;
        let charge =
            Change::Charge { subject: user.into(), budget: Budget::VerifyCode, limit: 2, window: HOUR, at: NOW };
        let reject = Change::SpendToken { user, token: given::id() };
        let mut left = 0;
        for uses in 1..=2 {
            let mut changes = vec![charge.clone(); uses];
            changes.push(reject.clone());
            if rejected(store, &changes).await == Rejected::Token {
                left = uses;
            }
        }
        left
    }
}

/// An edit of the user's profile that changes it, as long as there is a name.
pub(super) fn edit_profile(user: UserId) -> Change {
    Change::EditProfile { user, edit: ProfileEdit { name: Some(None), ..ProfileEdit::default() } }
}
