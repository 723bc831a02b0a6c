//! What the checks of commits act on: one of everything.

use std::sync::Arc;

use auth_core::domain::{
    Attributes, Budget, Digest, Epoch, Factor, Factors, Mac, MailId, Pending, PepperCheck, ProfileEdit, Purpose, Role,
    SealedMail, Session, SessionKey, SigningKey, Status, Token, TotpSecret, User, UserId,
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
    /// Is deleted in the end.
    leaver: User,
    leavers_session: Session,
    session: Session,
    second_session: Session,
    browser: Session,
    token: Token,
    reset: Token,
    pending: Pending,
    spent: Pending,
    /// On, with step 1 spent.
    totp: TotpSecret,
    enrolled: TotpSecret,
    recovery_code: Mac,
    key: SigningKey,
    /// These are not stored yet.
    pub(super) newcomer: User,
    new_session: Session,
    new_secret: Digest,
    new_pending: Pending,
    new_totp: TotpSecret,
    pub(super) mail: SealedMail,
    new_key: SigningKey,
    new_pepper_check: PepperCheck,
}

impl Scene {
    pub(super) async fn set(store: &Arc<dyn Store>) -> Self {
        let (user, leaver) = (given::registered(&**store).await, given::registered(&**store).await);
        let (session, second_session) =
            (given::signed_in(&**store, &user).await, given::signed_in(&**store, &user).await);
        let leavers_session = given::signed_in(&**store, &leaver).await;
        let scene = Self {
            leavers_session,
            token: given::issued(&**store, &user, Purpose::VerifyEmail).await,
            reset: given::issued(&**store, &user, Purpose::ResetPassword).await,
            browser: given::cookie_session(&user),
            pending: given::pending(),
            spent: given::pending(),
            totp: given::totp_secret(&user),
            enrolled: given::totp_secret(&user),
            recovery_code: given::mac(),
            key: given::signing_key(),
            newcomer: given::user(),
            new_session: given::session(&user),
            new_secret: given::digest(),
            new_pending: given::pending(),
            new_totp: given::totp_secret(&user),
            mail: given::mail(MAIL_TIME),
            new_key: given::signing_key(),
            new_pepper_check: given::pepper_check(),
            user,
            leaver,
            session,
            second_session,
        };
        let stored = [
            Change::OpenSession(scene.browser.clone()),
            Change::AddSigningKey(scene.key.clone()),
            Change::AddPending(scene.pending.clone()),
            Change::AddPending(scene.spent.clone()),
            Change::EnrolTotp(scene.totp.clone()),
            Change::ConfirmTotp { user: scene.user.id, factor: scene.totp.id, step: 1 },
            Change::EnrolTotp(scene.enrolled.clone()),
            Change::SetRecoveryCodes { user: scene.user.id, codes: vec![scene.recovery_code, given::mac()] },
            Change::EnrolTotp(given::totp_secret(&scene.leaver)),
            Change::SetRecoveryCodes { user: scene.leaver.id, codes: vec![given::mac()] },
            scene.charge(1),
            Change::Record(given::event(scene.user.id)),
            Change::Record(given::event(scene.leaver.id)),
        ];
        done(store, &stored).await;
        scene
    }

    /// Every kind of change, each with its precondition true at that place of the list. But one: a new epoch for everybody
    /// would end what other checks have begun.
    pub(super) fn every_change(&self) -> Vec<Change> {
        let user = self.user.id;
        let at = NOW + HOUR;
        let late = NOW + DAY;
        let role = Role::parse("editor").expect("a role");
        let attributes = Attributes::default().with("plan", "pro").expect("an attribute");
        vec![
            given::create(&self.newcomer),
            edit_profile(user),
            Change::VerifyEmail { user, email: self.user.email.clone(), at },
            Change::SetAttributes { user, from: Attributes::default(), to: attributes },
            Change::GrantRole { user, role: role.clone() },
            Change::Require { user, role: role.clone() },
            Change::RevokeRole { user, role },
            Change::AddPending(self.new_pending.clone()),
            Change::ClaimPending { pending: self.pending.id, limit: 1 },
            Change::SpendPending { pending: self.spent.id },
            Change::DropPendings { email: self.pending.email.clone() },
            self.charge(2),
            Change::Charge { subject: user.into(), budget: Budget::ResetCode, limit: 1, window: HOUR, at: NOW },
            Change::ClaimAttempt { user, token: self.token.id, limit: 1 },
            Change::ReturnAttempt { user, token: self.token.id },
            Change::RenewCode { user, token: self.token.id, code: given::mac(), until: late },
            Change::SpendToken { user, token: self.token.id },
            given::issue(given::token(&self.user, Purpose::VerifyEmail)),
            given::issue(given::token(&self.user, Purpose::ResetPassword)),
            Change::TrimTokens { user, purpose: Purpose::ResetPassword, keep: 1 },
            Change::DropTokens { user, purpose: Purpose::VerifyEmail },
            Change::Forgive { subject: user.into(), budget: Budget::VerifyCode },
            Change::SetFactors { user, from: Factors::default(), to: Factors::of(&[Factor::Totp]) },
            Change::SpendTotpStep { user, factor: self.totp.id, step: 2 },
            Change::ResealTotp { user, factor: self.totp.id, from: self.totp.secret.clone(), to: given::sealed() },
            Change::EnrolTotp(self.new_totp.clone()),
            Change::ConfirmTotp { user, factor: self.new_totp.id, step: 1 },
            Change::DropTotp { user },
            Change::SpendRecoveryCode { user, code: self.recovery_code },
            Change::SetRecoveryCodes { user, codes: vec![given::mac(), given::mac()] },
            Change::TouchSession { user, session: self.session.id, at, idle_until: late },
            Change::RotateRefresh { user, session: self.session.id, from: 0, at, idle_until: late, kept_until: late },
            self.rotate_secret(self.secret()),
            Change::CloseSession { user, session: self.second_session.id, at },
            Change::CloseDevice { user, device: self.session.device, at },
            Change::OpenSession(self.new_session.clone()),
            Change::ChangeEmail { user, from: self.user.email.clone(), to: given::email(), at },
            Change::AdvanceEpoch { user },
            Change::SetPassword { user, epoch: Epoch::FIRST.next(), password: given::hash() },
            Change::SetStatus { user, status: Status::Suspended },
            Change::DeleteUser { user: self.leaver.id },
            Change::AddSigningKey(self.new_key.clone()),
            Change::ResealSigningKey {
                number: self.key.number,
                from: self.key.private.clone(),
                to: self.new_key.private.clone(),
            },
            Change::AddSigningKey(SigningKey { number: 0, ..given::signing_key() }),
            Change::DropSigningKeys { number: 1 },
            Change::AddPepperCheck(self.new_pepper_check.clone()),
            Change::Enqueue(self.mail.clone()),
            Change::Record(given::event(user)),
        ]
    }

    /// A change for each reason there is to reject it. But one: who is the last holder depends on everybody else.
    pub(super) fn offences(&self) -> Vec<(Change, Rejected)> {
        let user = self.user.id;
        let taken = User { email: self.user.email.clone(), ..given::user() };
        let elsewhere = Token { account: Some(given::email()), ..given::token(&self.user, Purpose::VerifyEmail) };
        let key = SigningKey { number: self.key.number, ..given::signing_key() };
        let another = Attributes::default().with("plan", "pro").expect("an attribute");
        let slot = Pending { email: self.pending.email.clone(), ..given::pending() };
        let (from, to) = (self.user.email.clone(), self.leaver.email.clone());
        let nobody = given::id();
        let on = Factors::of(&[Factor::Totp]);
        vec![
            (given::create(&taken), Rejected::EmailTaken),
            (Change::ChangeEmail { user, from: from.clone(), to, at: NOW }, Rejected::EmailTaken),
            (Change::RequireUnverified { user, email: given::email() }, Rejected::EmailTaken),
            (given::issue(elsewhere), Rejected::EmailChanged),
            (Change::ChangeEmail { user, from: given::email(), to: from, at: NOW }, Rejected::EmailChanged),
            (Change::AdvanceEpoch { user: nobody }, Rejected::User),
            (Change::GrantRole { user: nobody, role: Role::user() }, Rejected::User),
            (Change::DeleteUser { user: nobody }, Rejected::User),
            (Change::SetPassword { user, epoch: Epoch::FIRST.next(), password: given::hash() }, Rejected::Epoch),
            (Change::SetAttributes { user, from: another.clone(), to: another }, Rejected::Attributes),
            (Change::EnrolTotp(given::totp_secret(&given::user())), Rejected::User),
            (Change::SetRecoveryCodes { user: nobody, codes: vec![given::mac()] }, Rejected::User),
            (Change::SetFactors { user, from: on.clone(), to: on }, Rejected::Factors),
            (Change::ConfirmTotp { user, factor: self.totp.id, step: 2 }, Rejected::Factors),
            (Change::SpendTotpStep { user, factor: self.totp.id, step: 1 }, Rejected::Factors),
            (Change::SpendTotpStep { user, factor: self.enrolled.id, step: 2 }, Rejected::Factors),
            (Change::SpendRecoveryCode { user, code: given::mac() }, Rejected::Factors),
            (Change::Require { user, role: Role::admin() }, Rejected::Role),
            (Change::SpendToken { user, token: given::id() }, Rejected::Token),
            (Change::RenewCode { user, token: given::id(), code: given::mac(), until: NOW }, Rejected::Token),
            (Change::SpendPending { pending: given::id() }, Rejected::Token),
            (Change::AddPending(slot), Rejected::TooManyTokens),
            (
                Change::IssueToken { token: given::token(&self.user, Purpose::VerifyEmail), at_most: 1 },
                Rejected::TooManyTokens,
            ),
            (Change::ClaimAttempt { user, token: self.token.id, limit: 0 }, Rejected::Attempts),
            (Change::ClaimPending { pending: self.pending.id, limit: 0 }, Rejected::Attempts),
            (self.charge(1), Rejected::Budget),
            (Change::CloseSession { user, session: given::id(), at: NOW }, Rejected::Session),
            (self.rotate_secret(given::digest()), Rejected::Session),
            (Change::AddSigningKey(key), Rejected::Key),
            (
                Change::ResealSigningKey { number: self.key.number, from: given::sealed(), to: given::sealed() },
                Rejected::Key,
            ),
        ]
    }

    fn charge(&self, limit: u32) -> Change {
        Change::Charge { subject: self.user.id.into(), budget: Budget::VerifyCode, limit, window: HOUR, at: NOW }
    }

    fn rotate_secret(&self, from: Digest) -> Change {
        let (user, session, to) = (self.user.id, self.browser.id, self.new_secret);
        Change::RotateSecret { user, session, from, to, roles_version: 2 }
    }

    fn secret(&self) -> Digest {
        *self.browser.credential.secret().expect("a session of a browser")
    }

    /// All that the ports show of what the lists above touch.
    pub(super) async fn picture(&self, store: &Arc<dyn Store>) -> Vec<String> {
        let mut lines = Vec::new();
        for user in [self.user.id, self.leaver.id, self.newcomer.id] {
            lines.push(format!("{:?}", Picture::of(&**store, user).await));
        }
        for session in [&self.session, &self.second_session, &self.new_session] {
            let found = found_session(store, session.id).await;
            lines.push(format!("{:?}", found.map(|found| show::session(&found.session))));
        }
        for secret in [self.secret(), self.new_secret] {
            let found = store.find_session(&SessionKey::Secret(secret)).await.unwrap();
            lines.push(format!("{:?}", found.map(|found| show::session(&found.session))));
        }
        for pending in [&self.pending, &self.spent, &self.new_pending] {
            let found = store.find_pending(&pending.link).await.unwrap();
            lines.push(format!("{:?}", found.as_ref().map(show::pending)));
        }
        for token in [&self.token, &self.reset] {
            let found = store.find_token(&token.link.unwrap()).await.unwrap();
            lines.push(format!("{:?}", found.map(|found| show::token(&found.token))));
        }
        let keys = store.signing_keys().await.unwrap();
        let is_ours = |number| [0, self.key.number, self.new_key.number].contains(&number);
        lines.extend(keys.iter().filter(|key| is_ours(key.number)).map(show::signing_key));
        let checks = store.pepper_checks().await.unwrap();
        let ours = checks.iter().filter(|check| check.key == self.new_pepper_check.key);
        lines.extend(ours.map(show::pepper_check));
        lines.extend(self.mail_in_outbox(store).await.map(|mail| mail.to_string()));
        lines.push(format!("budget left: {}", self.uses_left(store).await));
        lines
    }

    /// The sessions that there were at first, each with its user, as they are read now.
    pub(super) async fn sessions(&self, store: &Arc<dyn Store>) -> Vec<(UserId, Option<(Session, User)>)> {
        let keys = [
            SessionKey::Id(self.session.id),
            SessionKey::Id(self.second_session.id),
            SessionKey::Id(self.browser.id),
            SessionKey::Secret(self.secret()),
        ];
        let mut sessions = Vec::new();
        let theirs = (self.leaver.id, SessionKey::Id(self.leavers_session.id));
        for (user, key) in keys.map(|key| (self.user.id, key)).into_iter().chain([theirs]) {
            let found = store.find_session(&key).await.unwrap();
            sessions.push((user, found.map(|found| (found.session, found.user))));
        }
        sessions
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
        let reject = Change::SpendToken { user: self.user.id, token: given::id() };
        let mut left = 0;
        for uses in 1..=2 {
            let mut changes = vec![self.charge(2); uses];
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
