//! Statements about sessions, one-time tokens and registrations that wait.

use async_trait::async_trait;
use auth_core::domain::{
    Credential, DeviceId, Digest, Email, Mac, Pending, Purpose, Session, SessionId, Status, Timestamp, Token, TokenId,
    UserId,
};
use auth_store::commit::{PendingStatements, Rotation, SessionStatements, TokenStatements, Written};

use crate::read::{account, tokens_of};
use crate::table::{SESSIONS_OF, SLOTS, slot, slots_of};
use crate::transaction::{Failed, Snapshot as _, Tx};

impl Tx {
    /// Changes a session of the user that isn't closed and whose epoch is the user's.
    fn update_current_session(
        &self,
        user: UserId,
        id: SessionId,
        condition: impl FnOnce(&Session) -> bool,
        set: impl FnOnce(&mut Session),
    ) -> Result<u64, Failed> {
        let Some(account) = account(self, user)? else { return Ok(0) };
        self.update_open_session(user, id, |session| session.epoch == account.user.epoch && condition(session), set)
    }

    /// Changes a session of the user that isn't closed.
    fn update_open_session(
        &self,
        user: UserId,
        id: SessionId,
        condition: impl FnOnce(&Session) -> bool,
        set: impl FnOnce(&mut Session),
    ) -> Result<u64, Failed> {
        let is_open = |session: &Session| session.user == user && session.closed_at.is_none();
        self.update(id.as_bytes(), |session| is_open(session) && condition(session), set)
    }
}

#[async_trait]
impl SessionStatements for Tx {
    async fn insert_session(&mut self, session: &Session) -> Result<u64, Failed> {
        let account = account(self, session.user)?;
        let is_current =
            account.is_some_and(|account| account.user.status == Status::Active && account.user.epoch == session.epoch);
        if is_current { self.insert(session.id.as_bytes(), session) } else { Ok(0) }
    }

    async fn rotate_refresh(
        &mut self,
        user: UserId,
        session: SessionId,
        from: u32,
        to: u32,
        rotation: &Rotation,
    ) -> Result<u64, Failed> {
        let is_from = |session: &Session| session.credential.refresh().is_some_and(|refresh| refresh.counter == from);
        self.update_current_session(user, session, is_from, |session| {
            if let Credential::Tokens(refresh) = &mut session.credential {
                (refresh.counter, refresh.rotated_at) = (to, rotation.at);
            }
            session.last_seen_at = rotation.at;
            session.idle_until = rotation.idle_until;
            session.kept_until = rotation.kept_until;
        })
    }

    async fn rotate_secret(
        &mut self,
        user: UserId,
        session: SessionId,
        from: &Digest,
        to: &Digest,
        roles_version: u32,
    ) -> Result<u64, Failed> {
        let is_from = |session: &Session| session.credential.secret() == Some(from);
        self.update_current_session(user, session, is_from, |session| {
            session.credential = Credential::Cookie(*to);
            session.roles_version = roles_version;
        })
    }

    async fn touch_session(
        &mut self,
        user: UserId,
        session: SessionId,
        at: Timestamp,
        idle_until: Timestamp,
    ) -> Result<u64, Failed> {
        let was_not_seen_later = |session: &Session| session.last_seen_at <= at;
        self.update_open_session(user, session, was_not_seen_later, |session| {
            session.last_seen_at = at;
            session.idle_until = idle_until;
        })
    }

    async fn close_session(&mut self, user: UserId, session: SessionId, at: Timestamp) -> Result<u64, Failed> {
        self.update_open_session(user, session, |_| true, |session| session.closed_at = Some(at))
    }

    async fn close_device(&mut self, user: UserId, device: DeviceId, at: Timestamp) -> Result<u64, Failed> {
        let sessions = self.all_by::<Session>(SESSIONS_OF, user.as_bytes())?;
        sessions.iter().filter(|session| session.device == device).try_fold(0, |closed, session| {
            let close = |session: &mut Session| session.closed_at = Some(at);
            Ok(closed + self.update_open_session(user, session.id, |_| true, close)?)
        })
    }
}

#[async_trait]
impl TokenStatements for Tx {
    async fn insert_token(&mut self, token: &Token, at_most: u32) -> Result<u64, Failed> {
        let Some(account) = account(self, token.user)? else { return Ok(0) };
        let lives_on = |other: &&Token| {
            (other.link.is_some() && other.link_until > token.created_at)
                || (other.code.is_some() && other.code_until > token.created_at)
        };
        let live = tokens_of(self, token.user, token.purpose)?.iter().filter(lives_on).count();
        let is_bound_elsewhere = token.account.as_ref().is_some_and(|bound| *bound != account.user.email);
        if is_bound_elsewhere || live >= crate::limit(at_most) {
            return Ok(0);
        }
        self.insert(token.id.as_bytes(), token)
    }

    async fn trim_tokens(&mut self, user: UserId, purpose: Purpose, keep: u32) -> Result<u64, Failed> {
        let old = tokens_of(self, user, purpose)?.into_iter().skip(crate::limit(keep));
        self.delete_all::<Token>(&old.map(|token| token.id.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    async fn claim_attempt(&mut self, user: UserId, token: TokenId, limit: u32) -> Result<u64, Failed> {
        let is_left = |token: &Token| token.user == user && token.attempts < limit;
        self.update(token.as_bytes(), is_left, |token| token.attempts += 1)
    }

    async fn return_attempt(&mut self, user: UserId, token: TokenId) -> Result<u64, Failed> {
        let is_claimed = |token: &Token| token.user == user && token.attempts > 0;
        self.update(token.as_bytes(), is_claimed, |token| token.attempts -= 1)
    }

    async fn renew_code(&mut self, user: UserId, token: TokenId, code: &Mac, until: Timestamp) -> Result<u64, Failed> {
        let renewed = |token: &mut Token| (token.code, token.code_until) = (Some(*code), until);
        self.update(token.as_bytes(), |token| token.user == user, renewed)
    }

    async fn delete_token(&mut self, user: UserId, token: TokenId) -> Result<u64, Failed> {
        self.delete(token.as_bytes(), |token: &Token| token.user == user)
    }

    async fn delete_tokens(&mut self, user: UserId, purpose: Purpose) -> Result<u64, Failed> {
        self.trim_tokens(user, purpose, 0).await
    }
}

#[async_trait]
impl PendingStatements for Tx {
    async fn insert_pending(&mut self, pending: &Pending) -> Result<Written, Failed> {
        if self.key_by(SLOTS, &slot(pending))?.is_some() {
            return Ok(Written::Taken);
        }
        self.insert(pending.id.as_bytes(), pending).map(Written::Rows)
    }

    async fn lock_pendings(&mut self, _: TokenId) -> Result<(), Failed> {
        // All others wait already.
        Ok(())
    }

    async fn claim_pending(&mut self, pending: TokenId, limit: u32) -> Result<u64, Failed> {
        let is_left = |pending: &Pending| pending.attempts < limit;
        self.update(pending.as_bytes(), is_left, |pending| pending.attempts += 1)
    }

    async fn delete_pending(&mut self, pending: TokenId) -> Result<u64, Failed> {
        self.delete::<Pending>(pending.as_bytes(), |_| true)
    }

    async fn delete_pendings(&mut self, email: &Email) -> Result<u64, Failed> {
        let of_address = self.with_prefix(SLOTS, &slots_of(email.canonical()))?;
        self.delete_all::<Pending>(&of_address.into_iter().map(|(_, id)| id).collect::<Vec<_>>())
    }
}
