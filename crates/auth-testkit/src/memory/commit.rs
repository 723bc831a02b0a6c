//! Writing: one change after the other on a copy, which takes the tables' place if all went well.

use std::collections::BTreeMap;

use async_trait::async_trait;
use auth_core::domain::{
    Account, Credential, Email, Pending, Purpose, Role, SealedMail, Session, SessionId, Status, Token, TokenId, User,
    UserId,
};
use auth_core::port::{Change, Commit, CommitError, Rejected};

use super::outbox::Row;
use super::{MemoryStore, Tables, Window, failed, limit};

#[async_trait]
impl Commit for MemoryStore {
    async fn commit(&self, changes: &[Change]) -> Result<(), CommitError> {
        self.with(|tables| {
            let mut copy = tables.clone();
            for change in changes {
                copy.apply(change)?;
            }
            *tables = copy;
            Ok(())
        })
        .await
    }
}

impl Tables {
    fn apply(&mut self, change: &Change) -> Result<(), CommitError> {
        match change {
            Change::CreateUser { user, password } => {
                require(self.users.values().all(|other| other.user.email != user.email), Rejected::EmailTaken)?;
                let mut user = user.clone();
                user.roles.sort_unstable();
                let account = Account { user, password: password.clone() };
                insert(&mut self.users, account.user.id, account)?;
            }
            Change::EditProfile { user, edit } => {
                let profile = &mut self.user(*user)?.profile;
                *profile = std::mem::take(profile).after(edit);
            }
            Change::VerifyEmail { user, email, at } => {
                let user = self.user(*user).ok().filter(|user| user.email == *email);
                found(user, Rejected::EmailChanged)?.email_verified_at.get_or_insert(*at);
            }
            Change::SetPassword { user, epoch, password } => {
                let account = self.users.get_mut(user).filter(|account| account.user.epoch == *epoch);
                let account = found(account, Rejected::Epoch)?;
                account.password = Some(password.clone());
                account.user.epoch = epoch.next();
            }
            Change::Rehash { user, from, to } => {
                if let Some(account) =
                    self.users.get_mut(user).filter(|account| account.password.as_ref() == Some(from))
                {
                    account.password = Some(to.clone());
                }
            }
            Change::ChangeEmail { user, from, to, at } => {
                let is_taken = self.users.values().any(|other| other.user.id != *user && other.user.email == *to);
                let user = self.user(*user).ok().filter(|user| user.email == *from);
                let user = found(user, Rejected::EmailChanged)?;
                require(!is_taken, Rejected::EmailTaken)?;
                user.email = to.clone();
                user.email_verified_at = Some(*at);
            }
            Change::SetAttributes { user, from, to } => {
                let user = self.user(*user).ok().filter(|user| user.attributes == *from);
                found(user, Rejected::Attributes)?.attributes = to.clone();
            }
            Change::Require { user, role } => {
                let user = self.user(*user).ok();
                found(user.filter(|user| is_active_holder(user, role)), Rejected::Role)?;
            }
            Change::RequireUnverified { user, email } => {
                let user = self.user(*user).ok();
                let is_unverified = |user: &&mut User| user.email == *email && user.email_verified_at.is_none();
                found(user.filter(is_unverified), Rejected::EmailTaken)?;
            }
            Change::GrantRole { user, role } => {
                let user = self.user(*user)?;
                if let Err(place) = user.roles.binary_search(role) {
                    user.roles.insert(place, role.clone());
                    user.roles_version += 1;
                }
            }
            Change::RevokeRole { user, role } => {
                self.user(*user)?;
                self.require_another_holder(*user, |protected| protected == role)?;
                let user = self.user(*user)?;
                if let Ok(place) = user.roles.binary_search(role) {
                    user.roles.remove(place);
                    user.roles_version += 1;
                }
            }
            Change::SetStatus { user, status } => {
                require(self.user(*user)?.status != *status, Rejected::User)?;
                if *status == Status::Suspended {
                    self.require_another_holder(*user, |_| true)?;
                }
                let user = self.user(*user)?;
                user.status = *status;
                if *status == Status::Suspended {
                    user.epoch = user.epoch.next();
                }
            }
            Change::DeleteUser { user } => {
                self.user(*user)?;
                self.require_another_holder(*user, |_| true)?;
                self.delete_user(*user);
            }
            Change::AdvanceEpoch { user } => {
                let user = self.user(*user)?;
                user.epoch = user.epoch.next();
            }
            Change::AdvanceAllEpochs => {
                for Account { user, .. } in self.users.values_mut() {
                    user.epoch = user.epoch.next();
                }
            }

            Change::AddPending(pending) => {
                let of_address = self.pendings_of(&pending.email);
                require(of_address.iter().all(|other| other.slot != pending.slot), Rejected::TooManyTokens)?;
                if self.pendings.values().any(|other| other.link == pending.link) {
                    return Err(failed("two registrations of one link").into());
                }
                insert(&mut self.pendings, pending.id, pending.clone())?;
            }
            Change::ClaimPending { pending, limit } => {
                let pending = self.pendings.get_mut(pending).filter(|pending| pending.attempts < *limit);
                found(pending, Rejected::Attempts)?.attempts += 1;
            }
            Change::SpendPending { pending } => {
                found(self.pendings.remove(pending), Rejected::Token)?;
            }
            Change::DropPendings { email } => self.pendings.retain(|_, pending| pending.email != *email),

            Change::IssueToken { token, at_most } => {
                let is_at = |email: &Email| token.account.as_ref().is_none_or(|bound| bound == email);
                let user = self.users.get(&token.user).filter(|account| is_at(&account.user.email));
                found(user, Rejected::EmailChanged)?;
                if token.link.is_some() && self.tokens.values().any(|other| other.link == token.link) {
                    return Err(failed("two tokens of one link").into());
                }
                let lives_on = |other: &&Token| {
                    (other.link.is_some() && other.link_until > token.created_at)
                        || (other.code.is_some() && other.code_until > token.created_at)
                };
                let live = self.tokens_of(token.user, token.purpose).iter().filter(lives_on).count();
                require(live < limit(*at_most), Rejected::TooManyTokens)?;
                insert(&mut self.tokens, token.id, token.clone())?;
            }
            Change::TrimTokens { user, purpose, keep } => {
                let newest = self.tokens_of(*user, *purpose);
                for token in newest.iter().skip(limit(*keep)) {
                    self.tokens.remove(&token.id);
                }
            }
            Change::ClaimAttempt { user, token, limit } => {
                let token = self.token(*user, *token).filter(|token| token.attempts < *limit);
                found(token, Rejected::Attempts)?.attempts += 1;
            }
            Change::ReturnAttempt { user, token } => {
                if let Some(token) = self.token(*user, *token) {
                    token.attempts = token.attempts.saturating_sub(1);
                }
            }
            Change::RenewCode { user, token, code, until } => {
                let token = found(self.token(*user, *token), Rejected::Token)?;
                (token.code, token.code_until) = (Some(*code), *until);
            }
            Change::SpendToken { user, token } => {
                let id = found(self.token(*user, *token), Rejected::Token)?.id;
                self.tokens.remove(&id);
            }
            Change::DropTokens { user, purpose } => {
                self.tokens.retain(|_, token| token.user != *user || token.purpose != *purpose);
            }
            Change::Charge { subject, budget, limit, window, at } => {
                let fresh = Window { ends_at: *at + *window, uses: 0 };
                let current = self.budgets.entry((*subject, *budget, window.as_secs())).or_insert(fresh);
                if current.ends_at <= *at {
                    *current = fresh;
                }
                require(current.uses < *limit, Rejected::Budget)?;
                current.uses += 1;
            }
            Change::Forgive { subject, budget } => {
                self.budgets.retain(|(owner, of, _), _| owner != subject || of != budget);
            }

            Change::SetFactors { user, from, to } => {
                let user = self.user(*user).ok().filter(|user| user.factors == *from);
                found(user, Rejected::Factors)?.factors = to.clone();
            }
            Change::EnrolTotp(secret) => {
                self.user(secret.user)?;
                self.totp_secrets.retain(|_, other| other.user != secret.user || other.pending_until.is_none());
                insert(&mut self.totp_secrets, secret.id, secret.clone())?;
            }
            Change::ConfirmTotp { user, factor, step } => {
                let secret = self.totp_secrets.get_mut(factor).filter(|secret| secret.user == *user);
                let secret = found(secret.filter(|secret| secret.pending_until.is_some()), Rejected::Factors)?;
                (secret.pending_until, secret.last_step) = (None, Some(*step));
                self.totp_secrets.retain(|id, other| other.user != *user || id == factor);
            }
            Change::SpendTotpStep { user, factor, step } => {
                let secret = self.totp_secrets.get_mut(factor).filter(|secret| secret.user == *user);
                let secret = secret.filter(|secret| secret.last_step.is_some_and(|last| last < *step));
                found(secret, Rejected::Factors)?.last_step = Some(*step);
            }
            Change::ResealTotp { user, factor, from, to } => {
                let secret = self.totp_secrets.get_mut(factor).filter(|secret| secret.user == *user);
                if let Some(secret) = secret.filter(|secret| secret.secret == *from) {
                    secret.secret = to.clone();
                }
            }
            Change::DropTotp { user } => self.totp_secrets.retain(|_, secret| secret.user != *user),
            Change::SetRecoveryCodes { user, codes } => {
                self.user(*user)?;
                self.recovery_codes.insert(*user, codes.clone());
            }
            Change::SpendRecoveryCode { user, code } => {
                let codes = self.recovery_codes.entry(*user).or_default();
                let place = codes.iter().position(|other| other.to_bytes() == code.to_bytes());
                codes.remove(found(place, Rejected::Factors)?);
            }

            Change::OpenSession(session) => {
                let user = self.user(session.user).ok();
                let user = user.filter(|user| user.epoch == session.epoch && user.status == Status::Active);
                found(user, Rejected::Epoch)?;
                self.require_new_secret(&session.credential)?;
                insert(&mut self.sessions, session.id, session.clone())?;
            }
            Change::RotateRefresh { user, session, from, at, idle_until, kept_until } => {
                let session = found(self.session_in_epoch(*user, *session), Rejected::Session)?;
                match &mut session.credential {
                    Credential::Tokens(refresh) if refresh.counter == *from => {
                        refresh.counter = found(from.checked_add(1), Rejected::Session)?;
                        refresh.rotated_at = *at;
                    }
                    _ => return Err(CommitError::Rejected(Rejected::Session)),
                }
                session.last_seen_at = *at;
                session.idle_until = *idle_until;
                session.kept_until = *kept_until;
            }
            Change::RotateSecret { user, session, from, to, roles_version } => {
                let next = Credential::Cookie(*to);
                let session = self.session_in_epoch(*user, *session);
                let session = session.filter(|session| session.credential == Credential::Cookie(*from)).map(|s| s.id);
                let session = found(session, Rejected::Session)?;
                self.require_new_secret(&next)?;
                let session = found(self.sessions.get_mut(&session), Rejected::Session)?;
                session.credential = next;
                session.roles_version = *roles_version;
            }
            Change::TouchSession { user, session, at, idle_until } => {
                let session = self.open_session(*user, *session).filter(|session| session.last_seen_at <= *at);
                if let Some(session) = session {
                    session.last_seen_at = *at;
                    session.idle_until = *idle_until;
                }
            }
            Change::CloseSession { user, session, at } => {
                found(self.open_session(*user, *session), Rejected::Session)?.closed_at = Some(*at);
            }
            Change::CloseDevice { user, device, at } => {
                let is_its = |session: &&mut Session| session.user == *user && session.device == *device;
                for session in self.sessions.values_mut().filter(is_its) {
                    session.closed_at.get_or_insert(*at);
                }
            }

            Change::AddSigningKey(key) => {
                require(!self.signing_keys.contains_key(&key.number), Rejected::Key)?;
                self.signing_keys.insert(key.number, key.clone());
            }
            Change::ResealSigningKey { number, from, to } => {
                let key = self.signing_keys.get_mut(number).filter(|key| key.private.as_bytes() == from.as_bytes());
                found(key, Rejected::Key)?.private = to.clone();
            }
            Change::DropSigningKeys { number } => self.signing_keys.retain(|old, _| old >= number),
            Change::AddPepperCheck(check) => {
                if self.pepper_checks.iter().all(|other| other.key != check.key) {
                    self.pepper_checks.push(check.clone());
                }
            }

            Change::Enqueue(mail) => {
                // Of a user who is gone the mail may tell just that.
                let user = mail.user.filter(|user| self.users.contains_key(user));
                insert(&mut self.outbox, mail.id, Row::new(SealedMail { user, ..mail.clone() }))?;
            }
            Change::Record(event) => insert(&mut self.audit, event.id, event.clone())?,
        }
        Ok(())
    }

    fn user(&mut self, id: UserId) -> Result<&mut User, CommitError> {
        found(self.users.get_mut(&id).map(|account| &mut account.user), Rejected::User)
    }

    fn token(&mut self, user: UserId, id: TokenId) -> Option<&mut Token> {
        self.tokens.get_mut(&id).filter(|token| token.user == user)
    }

    fn open_session(&mut self, user: UserId, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(&id).filter(|session| session.user == user && session.closed_at.is_none())
    }

    /// An open session in its user's epoch.
    fn session_in_epoch(&mut self, user: UserId, id: SessionId) -> Option<&mut Session> {
        let epoch = self.users.get(&user)?.user.epoch;
        self.open_session(user, id).filter(|session| session.epoch == epoch)
    }

    /// Secrets are 256 random bits: one that exists is a mistake, and must not open another session.
    fn require_new_secret(&self, credential: &Credential) -> Result<(), CommitError> {
        let is_secret = credential.secret().is_some();
        if is_secret && self.sessions.values().any(|other| other.credential == *credential) {
            return Err(failed("two sessions of one secret").into());
        }
        Ok(())
    }

    /// Expects somebody else to be an active holder of each protected role that the user is one of, as far as it `is_lost`.
    fn require_another_holder(&self, user: UserId, is_lost: impl Fn(&Role) -> bool) -> Result<(), CommitError> {
        let holds = |role: &Role, is_one: &dyn Fn(UserId) -> bool| {
            self.users.values().any(|Account { user, .. }| is_one(user.id) && is_active_holder(user, role))
        };
        let is_last = |role: &Role| holds(role, &|id| id == user) && !holds(role, &|id| id != user);
        let loses_last =
            PROTECTED.iter().filter_map(|name| Role::parse(name)).any(|role| is_lost(&role) && is_last(&role));
        require(!loses_last, Rejected::LastHolder)
    }

    fn delete_user(&mut self, id: UserId) {
        self.users.remove(&id);
        self.sessions.retain(|_, session| session.user != id);
        self.tokens.retain(|_, token| token.user != id);
        self.totp_secrets.retain(|_, secret| secret.user != id);
        self.recovery_codes.remove(&id);
        self.budgets.retain(|(subject, ..), _| *subject != id.into());
        self.outbox.retain(|_, row| row.mail.user != Some(id));
        for event in self.audit.values_mut().filter(|event| [event.actor, event.subject].contains(&Some(id))) {
            (event.ip, event.user_agent, event.request_id) = (None, None, None);
            event.detail.clear();
        }
    }

    /// Newest first.
    pub(super) fn pendings_of(&self, email: &Email) -> Vec<Pending> {
        let mut pendings: Vec<Pending> =
            self.pendings.values().filter(|pending| pending.email == *email).cloned().collect();
        pendings.sort_unstable_by_key(|pending| std::cmp::Reverse((pending.created_at, pending.id)));
        pendings
    }

    /// Newest first.
    pub(super) fn tokens_of(&self, user: UserId, purpose: Purpose) -> Vec<Token> {
        let mut tokens: Vec<Token> =
            self.tokens.values().filter(|token| token.user == user && token.purpose == purpose).cloned().collect();
        tokens.sort_unstable_by_key(|token| std::cmp::Reverse((token.created_at, token.id)));
        tokens
    }
}

/// Roles that somebody who may sign in must always hold.
const PROTECTED: &[&str] = &[Role::ADMIN];

fn is_active_holder(user: &User, role: &Role) -> bool {
    user.status == Status::Active && user.roles.contains(role)
}

fn require(holds: bool, otherwise: Rejected) -> Result<(), CommitError> {
    if holds { Ok(()) } else { Err(CommitError::Rejected(otherwise)) }
}

fn found<T>(row: Option<T>, otherwise: Rejected) -> Result<T, CommitError> {
    row.ok_or(CommitError::Rejected(otherwise))
}

/// Ids are made from a clock and 80 random bits: one that exists is a mistake, never a reason to replace a row.
fn insert<K: Ord, V>(table: &mut BTreeMap<K, V>, id: K, row: V) -> Result<(), CommitError> {
    if table.contains_key(&id) {
        return Err(failed("two rows of one id").into());
    }
    table.insert(id, row);
    Ok(())
}
