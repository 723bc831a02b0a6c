//! Sessions by way of their copies: what is asked of a cache, and when it forgets.

use std::sync::Arc;

use quick_cache::sync::Cache;
use tracing::Instrument as _;

use crate::auth::Auth;
use crate::domain::{Digest, SessionKey, Signed, UserId};
use crate::port::{Cached, Change, CommitError, Outdated, SessionCache, Store, StoreError};

/// The session behind `key`, which is `user`'s if that is known: a copy, where there is a cache that has one.
pub(super) async fn find(
    auth: &Auth,
    key: &SessionKey,
    user: Option<UserId>,
) -> Result<Option<Arc<Signed>>, StoreError> {
    let Some(copies) = &auth.copies else { return read(auth, key).await };
    let Some(user) = user.or_else(|| copies.owner(key)) else {
        // Whose it is the store says, and before it is asked there is no ticket: the next request will find that.
        let found = read(auth, key).await?;
        copies.note_owner(key, found.as_deref());
        return Ok(found);
    };
    match copies.cache.find(key, user).await {
        Cached::Hit(signed) => Ok(Some(signed)),
        Cached::Miss(ticket) => {
            let found = read(auth, key).await?;
            if let Some(signed) = found.as_ref().filter(|signed| signed.user.id == user) {
                copies.cache.keep(ticket, signed).await;
            }
            Ok(found)
        }
    }
}

/// The session behind `key`, as the store has it.
pub(super) async fn read(auth: &Auth, key: &SessionKey) -> Result<Option<Arc<Signed>>, StoreError> {
    Ok(auth.store.find_session(key).await?.map(Arc::new))
}

/// A cache, and what finding something in it takes.
#[derive(Debug)]
pub(crate) struct Copies {
    cache: Arc<dyn SessionCache>,
    /// Whose sessions the secrets of browsers open: what is so once is so for good. A cache finds a session by its user, and
    /// a secret doesn't say whose it is.
    owners: Cache<Digest, UserId>,
}

/// Owners held at most: some 80 bytes each.
const OWNERS: usize = 100_000;

impl Copies {
    pub(crate) fn new(cache: Arc<dyn SessionCache>) -> Self {
        Self { cache, owners: Cache::new(OWNERS) }
    }

    fn owner(&self, key: &SessionKey) -> Option<UserId> {
        match key {
            SessionKey::Secret(digest) => self.owners.get(digest),
            SessionKey::Id(_) => None,
        }
    }

    fn note_owner(&self, key: &SessionKey, found: Option<&Signed>) {
        if let (SessionKey::Secret(digest), Some(signed)) = (key, found) {
            self.owners.insert(*digest, signed.user.id);
        }
    }
}

/// Commits, and makes what is out of date with it forgotten before it answers: whoever hears that somebody was signed out can
/// rely on it.
pub(crate) async fn commit(
    store: &Arc<dyn Store>,
    copies: Option<&Arc<Copies>>,
    changes: &[Change],
) -> Result<(), CommitError> {
    let outdated = Change::outdates(changes);
    let Some(copies) = copies.filter(|_| !outdated.is_nothing()) else { return store.commit(changes).await };
    let (store, copies, changes) = (Arc::clone(store), Arc::clone(copies), changes.to_vec());
    // In a task of its own: a caller that is dropped, once its client is gone, leaves nothing unforgotten that has happened.
    let work = async move {
        let outcome = store.commit(&changes).await;
        // Where the store couldn't say, it may have happened.
        if !matches!(outcome, Err(CommitError::Rejected(_))) {
            match &outdated {
                Outdated::Of(users) => copies.cache.forget(users).await,
                Outdated::Everybodys => copies.cache.forget_all().await,
            }
        }
        outcome
    };
    match tokio::spawn(work.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(ended) => Err(StoreError::Unavailable { store: "any", source: ended.into() }.into()),
    }
}
