//! Connections for reading.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use auth_store::usage::PoolUsage;
use sqlx::Pool;
use sqlx::pool::PoolConnection;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::{Db, Row, Statement, bounded};

/// A pool for reading whose connections stay at hand.
///
/// sqlx tests a connection whenever it is given back, which takes as long as a read, and has no option not to. So those
/// that did their work stay here for the next read, for a minute at a time; then the pool has them back, looks at their
/// age and tests them. One whose read failed, took too long or was given up goes back, or is closed, at once.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    pool: Pool<Db>,
    at_hand: Option<Arc<AtHand>>,
}

#[derive(Debug)]
struct AtHand {
    /// As many as the pool has connections, so that whoever has a turn finds a connection here or in the pool.
    turns: Semaphore,
    /// Used in turn, so that each comes to its minute.
    idle: Mutex<VecDeque<Held>>,
}

#[derive(Debug)]
struct Held {
    connection: PoolConnection<Db>,
    since: Instant,
}

/// How long the pool doesn't see a connection that is in use.
const HOLD: Duration = Duration::from_secs(60);

impl Readers {
    /// Reads over `pool`, which serves nothing else.
    pub(crate) fn own(pool: Pool<Db>) -> Self {
        let connections = usize::try_from(pool.options().get_max_connections()).unwrap_or(1);
        let turns = Semaphore::new(connections.min(Semaphore::MAX_PERMITS));
        Self { pool, at_hand: Some(Arc::new(AtHand { turns, idle: Mutex::default() })) }
    }

    /// Reads over a pool that others want connections of: none is kept from them.
    pub(crate) const fn shared(pool: Pool<Db>) -> Self {
        Self { pool, at_hand: None }
    }

    /// What its connections are doing.
    pub(super) fn usage(&self) -> PoolUsage {
        let at_hand = self.at_hand.as_ref().map_or(0, |at_hand| at_hand.idle().len());
        usage(&self.pool, at_hand)
    }

    /// Ends all connections once they are free.
    pub(super) async fn close(&self) {
        // Marks the pool at once: what is being read goes back to it.
        let closing = self.pool.close();
        if let Some(at_hand) = &self.at_hand {
            at_hand.idle().clear();
        }
        closing.await;
    }

    /// All rows of a query.
    pub(super) async fn fetch(&self, query: Statement) -> sqlx::Result<Vec<Row>> {
        let Some(at_hand) = &self.at_hand else { return fetch(&self.pool, query).await };
        let patience = self.pool.options().get_acquire_timeout();
        let taken = timeout(patience, self.take(at_hand)).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let (_turn, mut held) = taken?;
        let rows = bounded(&mut held.connection, async |connection| query.fetch_all(connection).await).await?;
        let mut idle = at_hand.idle();
        if held.since.elapsed() < HOLD && !self.pool.is_closed() {
            idle.push_back(held);
        }
        Ok(rows)
    }

    /// A turn, and the connection to use in it.
    async fn take<'a>(&self, at_hand: &'a AtHand) -> sqlx::Result<(SemaphorePermit<'a>, Held)> {
        let turn = at_hand.turns.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = at_hand.idle().pop_front();
        let held = match idle {
            Some(held) => held,
            None => Held { connection: self.pool.acquire().await?, since: Instant::now() },
        };
        Ok((turn, held))
    }
}

impl AtHand {
    fn idle(&self) -> MutexGuard<'_, VecDeque<Held>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what is left. Giving it back to the pool would need a runtime, which may have ended before the store is dropped.
impl Drop for AtHand {
    fn drop(&mut self) {
        self.idle().drain(..).for_each(|held| drop(held.connection.detach()));
    }
}

/// What the connections of `pool` are doing, of which `at_hand` wait for work outside.
pub(super) fn usage(pool: &Pool<Db>, at_hand: usize) -> PoolUsage {
    // Both figures are read one after the other, and need not agree.
    let idle = u32::try_from(pool.num_idle() + at_hand).unwrap_or(u32::MAX);
    PoolUsage { used: pool.size().saturating_sub(idle), idle, max: pool.options().get_max_connections() }
}

/// All rows of a query, over a connection that goes back to `pool` at once.
pub(super) async fn fetch(pool: &Pool<Db>, query: Statement) -> sqlx::Result<Vec<Row>> {
    bounded(&mut pool.acquire().await?, async |connection| query.fetch_all(connection).await).await
}
