//! Writing: one change after the other on a copy, which takes the tables' place if all went well.

use std::collections::BTreeMap;

use async_trait::async_trait;
use auth_core::domain::{Account, Purpose, Session, SessionId, Status, Token, TokenId, User, UserId};
use auth_core::port::{Change, Commit, CommitError, Rejected};

use super::outbox::Row;
use super::{MemoryStore, Tables, Window, failed};

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
                let account = Account { user, password: Some(password.clone()) };
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
            Change::SetStatus { user, status } => {
                let user = self.user(*user)?;
                require(user.status != *status, Rejected::User)?;
                user.status = *status;
                if *status == Status::Suspended {
                    user.epoch = user.epoch.next();
                }
            }
            Change::AdvanceEpoch { user } => {
                let user = self.user(*user)?;
                user.epoch = user.epoch.next();
            }

            Change::IssueToken { token, at_most } => {
                let user = self.users.get(&token.user).filter(|account| account.user.email == token.email);
                found(user, Rejected::EmailChanged)?;
                if self.tokens.values().any(|other| other.link == token.link) {
                    return Err(failed("two tokens of one link").into());
                }
                let of_purpose = self.tokens_of(token.user, token.purpose);
                let live = of_purpose.iter().filter(|other| other.link_until > token.created_at).count();
                found((live < usize::try_from(*at_most).unwrap_or(usize::MAX)).then_some(()), Rejected::TooManyTokens)?;
                insert(&mut self.tokens, token.id, token.clone())?;
            }
            Change::TrimTokens { user, purpose, keep } => {
                let newest = self.tokens_of(*user, *purpose);
                for token in newest.iter().skip(usize::try_from(*keep).unwrap_or(usize::MAX)) {
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
            Change::SpendToken { user, token } => {
                let id = found(self.token(*user, *token), Rejected::Token)?.id;
                self.tokens.remove(&id);
            }
            Change::DropTokens { user, purpose } => {
                self.tokens.retain(|_, token| token.user != *user || token.purpose != *purpose);
            }
            Change::Charge { user, budget, limit, window, at } => {
                require(self.users.contains_key(user), Rejected::User)?;
                let fresh = Window { ends_at: *at + *window, uses: 0 };
                let current = self.budgets.entry((*user, *budget, window.as_secs())).or_insert(fresh);
                if current.ends_at <= *at {
                    *current = fresh;
                }
                require(current.uses < *limit, Rejected::Budget)?;
                current.uses += 1;
            }
            Change::Forgive { user, budget } => {
                self.budgets.retain(|(owner, of, _), _| owner != user || of != budget);
            }

            Change::OpenSession(session) => {
                let user = self.user(session.user).ok();
                let user = user.filter(|user| user.epoch == session.epoch && user.status == Status::Active);
                found(user, Rejected::Epoch)?;
                insert(&mut self.sessions, session.id, session.clone())?;
            }
            Change::RotateRefresh { user, session, from, at, idle_until, kept_until } => {
                let epoch = self.user(*user).ok().map(|user| user.epoch);
                let session = self
                    .open_session(*user, *session)
                    .filter(|session| Some(session.epoch) == epoch && session.refresh.counter == *from);
                let session = found(session, Rejected::Session)?;
                session.refresh.counter = found(from.checked_add(1), Rejected::Session)?;
                session.refresh.rotated_at = *at;
                session.last_seen_at = *at;
                session.idle_until = *idle_until;
                session.kept_until = *kept_until;
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

            Change::AddSigningKey(key) => {
                require(!self.signing_keys.contains_key(&key.number), Rejected::Key)?;
                self.signing_keys.insert(key.number, key.clone());
            }
            Change::AddPepperCheck(check) => {
                if self.pepper_checks.iter().all(|other| other.key != check.key) {
                    self.pepper_checks.push(check.clone());
                }
            }

            Change::Enqueue(mail) => insert(&mut self.outbox, mail.id, Row::new(mail.clone()))?,
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

    /// Newest first.
    pub(super) fn tokens_of(&self, user: UserId, purpose: Purpose) -> Vec<Token> {
        let mut tokens: Vec<Token> =
            self.tokens.values().filter(|token| token.user == user && token.purpose == purpose).cloned().collect();
        tokens.sort_unstable_by_key(|token| std::cmp::Reverse((token.created_at, token.id)));
        tokens
    }
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
