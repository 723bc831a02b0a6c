//! Who is asking: the check on every authenticated request.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::access_token::{Claims, InvalidAccessToken};
use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Credential, Secret, SessionId, SessionKey, Signed, Timestamp, UserId};
use crate::flow::{copies, signing_keys};
use crate::port::{Change, CommitError, Rejected, StoreError};
use crate::settings::AccessCheck;

/// What somebody presents with a request.
#[derive(Clone, Copy)]
pub enum Presented<'a> {
    /// An access token.
    AccessToken(&'a str),
    /// A secret from a browser's cookie.
    Cookie(&'a str),
}

/// Doesn't print.
impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AccessToken(_) => "AccessToken(…)",
            Self::Cookie(_) => "Cookie(…)",
        })
    }
}

/// The session and user behind a credential: one query, or none where a cache has a copy.
///
/// The credential is checked against its session, so logout, reset, suspension and role changes count at once, or within what
/// the cache says of itself; with [`AccessCheck::Stateless`] they count for an access token when it expires. Using a session
/// renews its idle time, in steps of a minute at most, so that not every request costs a write.
///
/// A credential of the one kind is no credential of the other kind's sessions.
///
/// # Errors
/// [`AuthenticateError`].
pub async fn authenticate(auth: &Auth, presented: Presented<'_>) -> Result<Arc<Signed>, AuthenticateError> {
    let (signed, may_be_dead) = look_up(auth, presented, Asked::Copies).await?;
    accept(auth, signed, may_be_dead)
}

/// As [`authenticate`], for what isn't only looked at: the session must live, however access tokens are checked. What was
/// signed out, reset or suspended changes nothing any more.
///
/// # Errors
/// [`AuthenticateError`].
pub async fn authenticate_live(auth: &Auth, presented: Presented<'_>) -> Result<Arc<Signed>, AuthenticateError> {
    let (signed, _) = look_up(auth, presented, Asked::Copies).await?;
    accept(auth, signed, false)
}

/// As [`authenticate_live`], by what the store says, and no copy of it: for what changes the account.
///
/// # Errors
/// [`AuthenticateError`].
pub async fn authenticate_for_change(auth: &Auth, presented: Presented<'_>) -> Result<Arc<Signed>, AuthenticateError> {
    let (signed, _) = look_up(auth, presented, Asked::Store).await?;
    accept(auth, signed, false)
}

/// What the store says of somebody who may have been found by a copy: for what needs certainty. Asks nobody where there are no
/// copies.
///
/// # Errors
/// [`AuthenticateError`]: the session has ended, or its secret was replaced.
pub async fn confirm(auth: &Auth, signed: &Arc<Signed>) -> Result<Arc<Signed>, AuthenticateError> {
    if auth.copies.is_none() {
        return Ok(Arc::clone(signed));
    }
    let found = copies::read(auth, &SessionKey::Id(signed.session.id)).await?;
    let is_same = |found: &Arc<Signed>| {
        found.user.id == signed.user.id && found.session.credential.secret() == signed.session.credential.secret()
    };
    accept(auth, found.filter(is_same).ok_or(AuthenticateError::Unauthorized)?, false)
}

/// Who is asked.
#[derive(Clone, Copy)]
enum Asked {
    Copies,
    Store,
}

/// The session behind a credential that is genuine, dead ones too; and whether the settings let a dead one pass.
async fn look_up(
    auth: &Auth,
    presented: Presented<'_>,
    asked: Asked,
) -> Result<(Arc<Signed>, bool), AuthenticateError> {
    let (found, may_be_dead) = match presented {
        Presented::AccessToken(token) => {
            let now = auth.now();
            let claims = match read(auth, token, now).await? {
                Ok(claims) if now < claims.expires_at => claims,
                _ => return Err(AuthenticateError::Unauthorized),
            };
            let found = find(auth, &SessionKey::Id(claims.session), Some(claims.user), asked).await?;
            let is_of_token =
                |signed: &Arc<Signed>| signed.user.id == claims.user && signed.session.credential.refresh().is_some();
            (found.filter(is_of_token), auth.settings.access_check == AccessCheck::Stateless)
        }
        Presented::Cookie(text) => match key_of(text) {
            Some(key) => (find(auth, &key, None, asked).await?, false),
            None => (None, false),
        },
    };
    found.map(|signed| (signed, may_be_dead)).ok_or(AuthenticateError::Unauthorized)
}

async fn find(
    auth: &Auth,
    key: &SessionKey,
    user: Option<UserId>,
    asked: Asked,
) -> Result<Option<Arc<Signed>>, StoreError> {
    match asked {
        Asked::Copies => copies::find(auth, key, user).await,
        Asked::Store => copies::read(auth, key).await,
    }
}

/// Lets a session through that lives, and notes that it was used.
fn accept(auth: &Auth, mut signed: Arc<Signed>, may_be_dead: bool) -> Result<Arc<Signed>, AuthenticateError> {
    let now = auth.now();
    if signed.session.is_live(&signed.user, now) {
        touch(auth, &mut signed, now);
    } else if !may_be_dead {
        return Err(AuthenticateError::Unauthorized);
    }
    Ok(signed)
}

/// Hands out a new secret for a browser's session; the one before opens nothing any more. To be done where
/// [`Signed::is_behind_on_roles`]: whoever had the secret before the user became an administrator must not be one too.
///
/// # Errors
/// [`AuthenticateError::Unauthorized`] when another request was faster, or the session has no secret.
pub async fn rotate(auth: &Auth, signed: &mut Arc<Signed>, context: &Context) -> Result<Secret, AuthenticateError> {
    let (now, secret) = (auth.now(), Secret::new(&*auth.entropy));
    let (user, session, roles_version) = (signed.user.id, signed.session.id, signed.user.roles_version);
    let Some(from) = signed.session.credential.secret().copied() else {
        return Err(AuthenticateError::Unauthorized);
    };
    let to = secret.digest();
    let event = auth.event(AuditKind::SecretRotated, context, now).by(user).with("session", &session.to_string());
    let changes = [Change::RotateSecret { user, session, from, to, roles_version }, Change::Record(event)];
    match auth.commit(&changes).await {
        Ok(()) => {
            let session = &mut Arc::make_mut(signed).session;
            (session.credential, session.roles_version) = (Credential::Cookie(to), roles_version);
            Ok(secret)
        }
        Err(CommitError::Rejected(Rejected::Session)) => Err(AuthenticateError::Unauthorized),
        Err(error) => Err(error.into()),
    }
}

/// The session behind a cookie's secret, dead ones too.
pub(super) async fn find_by_secret(auth: &Auth, text: &str) -> Result<Option<Arc<Signed>>, StoreError> {
    match key_of(text) {
        Some(key) => copies::read(auth, &key).await,
        None => Ok(None),
    }
}

/// What isn't a secret of ours isn't looked up: an id that a client made up is never taken over.
fn key_of(text: &str) -> Option<SessionKey> {
    Secret::parse(text).map(|secret| SessionKey::Secret(secret.digest()))
}

/// What an access token says, expired or not.
pub(super) async fn read(
    auth: &Auth,
    access_token: &str,
    now: Timestamp,
) -> Result<Result<Claims, InvalidAccessToken>, Fault> {
    Ok(match auth.tokens.read(access_token, now) {
        Err(InvalidAccessToken::UnknownKey) if reload_keys(auth, now).await? => auth.tokens.read(access_token, now),
        read => read,
    })
}

/// Renews the idle time where enough of it has passed to be worth a write: a minute, or a twentieth of it if that is less.
///
/// In a task of its own: the request doesn't wait for it, and is good without it. A session has one such task at a time,
/// so that a page that sends fifty requests at once costs one write.
fn touch(auth: &Auth, signed: &mut Arc<Signed>, now: Timestamp) {
    let idle = auth.settings.lifetimes.idle;
    if now.since(signed.session.last_seen_at) < (idle / 20).min(Duration::from_secs(60)) {
        return;
    }
    let session = &mut Arc::make_mut(signed).session;
    let (user, id, idle_until) = (session.user, session.id, now + idle);
    (session.last_seen_at, session.idle_until) = (now, idle_until);
    if !lock(&auth.touching).insert(id) {
        return;
    }
    let (store, copies, touching) = (Arc::clone(&auth.store), auth.copies.clone(), Arc::clone(&auth.touching));
    tokio::spawn(async move {
        let _touched = Touched { id, touching };
        let change = Change::TouchSession { user, session: id, at: now, idle_until };
        if let Err(error) = copies::commit(&store, copies.as_ref(), &[change]).await {
            tracing::warn!(session = %id, %error, "a session's idle time could not be renewed");
        }
    });
}

/// Lets the session be touched again, also after a panic.
struct Touched {
    id: SessionId,
    touching: Arc<Mutex<HashSet<SessionId>>>,
}

impl Drop for Touched {
    fn drop(&mut self) {
        lock(&self.touching).remove(&self.id);
    }
}

fn lock(touching: &Mutex<HashSet<SessionId>>) -> MutexGuard<'_, HashSet<SessionId>> {
    touching.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the signing keys again, for a key that another node has made since; `false` where that was tried just now.
async fn reload_keys(auth: &Auth, now: Timestamp) -> Result<bool, Fault> {
    // Anybody can make up a key id: asking the store each time would let them.
    if !auth.tokens.may_reload(now) {
        return Ok(false);
    }
    signing_keys::reload(auth).await?;
    Ok(true)
}

/// Nobody is signed in, as far as can be told.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The credential is malformed, forged, expired, or its session is dead: one answer for all.
    #[error("not a usable credential")]
    Unauthorized,
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(AuthenticateError);
