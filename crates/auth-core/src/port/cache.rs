//! Copies of what the store said, so that it needn't be asked with every request.

use std::any::Any;
use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{SessionKey, Signed, UserId};

/// Keeps copies of what [`Sessions::find_session`](super::Sessions::find_session) read.
///
/// The store stays the truth: a cache may forget anything at any time, and answers with nothing where it can't tell. What it
/// must not do is to answer with what was forgotten:
///
/// - A copy is kept only if nothing of its user was forgotten between [`find`](Self::find), which comes before the store is
///   read, and [`keep`](Self::keep), which comes after. What raced a revocation is refused.
/// - A copy ends by itself, so that one survives a crash between a commit and what it makes forgotten for no longer than the
///   cache says.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SessionCache: Debug + Send + Sync {
    /// The copy of `user`'s session behind `key`; where there is none, what it takes to keep one.
    async fn find(&self, key: &SessionKey, user: UserId) -> Cached;

    /// Keeps what the store said after the ticket was handed out, if nothing of its user was forgotten since.
    async fn keep(&self, ticket: Ticket, signed: &Arc<Signed>);

    /// Forgets all copies of these users' sessions, on every node. Once it returns, none is found that was read before; where
    /// the cache can't be reached, for no longer than copies live.
    async fn forget(&self, users: &[UserId]);

    /// The same, for everybody.
    async fn forget_all(&self);
}

/// What a cache has.
#[derive(Debug)]
pub enum Cached {
    /// A copy.
    Hit(Arc<Signed>),
    /// None.
    Miss(Ticket),
}

/// What was known before the store was read, for whoever keeps what it says. Made by a cache for itself; says nothing to
/// others.
pub struct Ticket(Box<dyn Any + Send>);

impl Ticket {
    /// One that says `known`.
    pub fn new<T: Send + 'static>(known: T) -> Self {
        Self(Box::new(known))
    }

    /// What it says; `None` where another kind of cache has made it.
    pub fn into_known<T: Send + 'static>(self) -> Option<T> {
        self.0.downcast().ok().map(|known| *known)
    }
}

impl Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// Whose sessions or users a commit has changed: what a [`SessionCache`] has of them is out of date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outdated {
    /// Those of these users, each once; often nobody's.
    Of(Vec<UserId>),
    /// All.
    Everybodys,
}

impl Outdated {
    /// Whether nothing is.
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Of(users) if users.is_empty())
    }
}
