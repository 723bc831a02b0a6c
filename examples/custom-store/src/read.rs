//! Reading.

use std::cmp::Reverse;

use async_trait::async_trait;
use auth_core::domain::{
    Account, AuditEvent, Digest, Email, Epoch, Issued, Mac, Pending, PepperCheck, Purpose, Session, SessionKey, Signed,
    SigningKey, Token, TotpSecret, User, UserId,
};
use auth_core::port::{
    AuditLog, AuditQuery, Keys, Pendings, SecondFactors, Sessions, StoreError, Tokens, UserQuery, Users,
};

use crate::record::{EverybodysEpoch, RecoveryCodes, UserRow};
use crate::table::{
    EMAILS, PENDING_LINKS, SECRETS, SESSIONS_OF, SLOTS, TOKEN_LINKS, TOKENS_OF, TOTP_SECRETS_OF, slots_of,
};
use crate::transaction::{Failed, Snapshot};
use crate::{RedbStore, limit};

#[async_trait]
impl Users for RedbStore {
    async fn find_user(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.read(move |rows| account(rows, id)).await
    }

    async fn find_user_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let address = email.canonical().to_owned();
        self.read(move |rows| {
            let row = rows.find_by::<UserRow>(EMAILS, address.as_bytes())?;
            row.map(|row| Ok(whole(row, everybodys_epoch(rows)?))).transpose()
        })
        .await
    }

    async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError> {
        let query = query.clone();
        self.read(move |rows| {
            let epoch = everybodys_epoch(rows)?;
            let is_asked_for = |row: &UserRow| {
                query.search.as_deref().is_none_or(|text| row.user.email.canonical().contains(text))
                    && query.before.is_none_or(|end| row.user.id < end)
            };
            let newest_first = rows.all::<UserRow>()?.into_iter().rev().map(|(_, row)| row);
            let users = newest_first.filter(is_asked_for).take(limit(query.limit));
            Ok(users.map(|row| whole(row, epoch).user).collect())
        })
        .await
    }
}

#[async_trait]
impl Sessions for RedbStore {
    async fn find_session(&self, key: &SessionKey) -> Result<Option<Signed>, StoreError> {
        let key = *key;
        self.read(move |rows| {
            let session = match key {
                SessionKey::Id(id) => rows.find::<Session>(id.as_bytes())?,
                SessionKey::Secret(secret) => rows.find_by::<Session>(SECRETS, secret.as_bytes())?,
            };
            let Some(session) = session else { return Ok(None) };
            Ok(account(rows, session.user)?.map(|Account { user, .. }| Signed { session, user }))
        })
        .await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let sessions = self.read(move |rows| rows.all_by::<Session>(SESSIONS_OF, user.as_bytes()));
        Ok(newest_first(sessions.await?, |session| (session.created_at, session.id)))
    }
}

#[async_trait]
impl Tokens for RedbStore {
    async fn find_token(&self, link: &Digest) -> Result<Option<Issued>, StoreError> {
        let link = *link;
        self.read(move |rows| {
            let Some(token) = rows.find_by::<Token>(TOKEN_LINKS, link.as_bytes())? else { return Ok(None) };
            Ok(account(rows, token.user)?.map(|Account { user, .. }| Issued { token, user }))
        })
        .await
    }

    async fn tokens_of(&self, user: UserId, purpose: Purpose) -> Result<Vec<Token>, StoreError> {
        self.read(move |rows| tokens_of(rows, user, purpose)).await
    }
}

#[async_trait]
impl SecondFactors for RedbStore {
    async fn totp_secrets(&self, user: UserId) -> Result<Vec<TotpSecret>, StoreError> {
        self.read(move |rows| rows.all_by(TOTP_SECRETS_OF, user.as_bytes())).await
    }

    async fn recovery_codes(&self, user: UserId) -> Result<Vec<Mac>, StoreError> {
        let row = self.read(move |rows| rows.find::<RecoveryCodes>(user.as_bytes())).await?;
        Ok(row.map(|row| row.codes).unwrap_or_default())
    }
}

#[async_trait]
impl Pendings for RedbStore {
    async fn find_pending(&self, link: &Digest) -> Result<Option<Pending>, StoreError> {
        let link = *link;
        self.read(move |rows| rows.find_by(PENDING_LINKS, link.as_bytes())).await
    }

    async fn pendings_of(&self, email: &Email) -> Result<Vec<Pending>, StoreError> {
        let slots = slots_of(email.canonical());
        let pendings = self.read(move |rows| rows.all_by::<Pending>(SLOTS, &slots)).await?;
        Ok(newest_first(pendings, |pending| (pending.created_at, pending.id)))
    }
}

#[async_trait]
impl AuditLog for RedbStore {
    async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEvent>, StoreError> {
        let AuditQuery { user, kind, before, limit: at_most } = query.clone();
        let place = |event: &AuditEvent| (event.at, event.id);
        let events = self.read(move |rows| {
            let end = match before {
                None => None,
                Some(id) => match rows.find::<AuditEvent>(id.as_bytes())? {
                    Some(event) => Some(place(&event)),
                    // Nothing is before an entry that isn't there.
                    None => return Ok(Vec::new()),
                },
            };
            let is_asked_for = |event: &AuditEvent| {
                (user.is_none() || [event.actor, event.subject].contains(&user))
                    && kind.is_none_or(|kind| event.kind == kind)
                    && end.is_none_or(|end| place(event) < end)
            };
            Ok(rows.all::<AuditEvent>()?.into_iter().map(|(_, event)| event).filter(is_asked_for).collect())
        });
        // Ids tell the order only to the millisecond.
        let mut events = newest_first(events.await?, place);
        events.truncate(limit(at_most));
        Ok(events)
    }
}

#[async_trait]
impl Keys for RedbStore {
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let keys = self.read(Snapshot::all::<SigningKey>).await?;
        Ok(keys.into_iter().rev().map(|(_, key)| key).collect())
    }

    async fn pepper_checks(&self) -> Result<Vec<PepperCheck>, StoreError> {
        let checks = self.read(Snapshot::all::<PepperCheck>).await?;
        Ok(checks.into_iter().map(|(_, check)| check).collect())
    }
}

/// The user of that id, in the epoch that is theirs and everybody's.
pub(crate) fn account(rows: &impl Snapshot, id: UserId) -> Result<Option<Account>, Failed> {
    let row = rows.find::<UserRow>(id.as_bytes())?;
    row.map(|row| Ok(whole(row, everybodys_epoch(rows)?))).transpose()
}

/// How often everybody's sessions were ended at once.
pub(crate) fn everybodys_epoch(rows: &impl Snapshot) -> Result<u32, Failed> {
    Ok(rows.find::<EverybodysEpoch>(&[])?.unwrap_or_default().number)
}

fn whole(UserRow { user, password }: UserRow, everybodys_epoch: u32) -> Account {
    let epoch = Epoch::from_number(user.epoch.number().wrapping_add(everybodys_epoch));
    Account { user: User { epoch, ..user }, password }
}

/// All tokens of a user for a purpose, newest first.
pub(crate) fn tokens_of(rows: &impl Snapshot, user: UserId, purpose: Purpose) -> Result<Vec<Token>, Failed> {
    let mut tokens = rows.all_by::<Token>(TOKENS_OF, user.as_bytes())?;
    tokens.retain(|token| token.purpose == purpose);
    Ok(newest_first(tokens, |token| (token.created_at, token.id)))
}

fn newest_first<T, K: Ord>(mut rows: Vec<T>, place: impl Fn(&T) -> K) -> Vec<T> {
    rows.sort_unstable_by_key(|row| Reverse(place(row)));
    rows
}
