//! Connections that a pool lends.

use std::time::Duration;

use auth_store::retry::PATIENCE;
use auth_store::trouble::Trouble;
use auth_store::usage::PoolUsage;
use diesel::QueryResult;
use diesel_async::pooled_connection::deadpool;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, timeout};

use super::dialect::{self, Connection};
use super::judge;
use crate::error::Error;

/// Connections that are used one at a time.
pub(crate) type Pool = deadpool::Pool<Connection>;

/// What is done first with a connection. One that turns out to be dead then has done nothing yet, and another takes its
/// place.
pub(crate) type Hello = fn(&mut Connection) -> BoxFuture<'_, QueryResult<()>>;

/// A connection out of a pool. It goes back when its work is done; if that fails or is given up half done, the connection
/// ends, and with it what was under way, perhaps a transaction.
struct Lent(Option<deadpool::Object<Connection>>);

impl Lent {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(deadpool::Object::take(object));
        }
    }
}

/// Does `work` with a connection of `pool` that has said `hello`: [`PATIENCE`] for the connection, and as much for the work.
pub(crate) async fn with<T, E>(
    pool: &Pool,
    hello: Option<Hello>,
    judge: fn(&E) -> Trouble,
    work: impl for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    with_patience(PATIENCE, pool, hello, judge, work).await
}

/// The same, with more or less patience for the work.
pub(crate) async fn with_patience<T, E>(
    patience: Duration,
    pool: &Pool,
    hello: Option<Hello>,
    judge: fn(&E) -> Trouble,
    work: impl for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let pool = pool.clone();
    let lend_and_work = async move {
        let mut lent = lend(&pool, hello).await?;
        let Some(connection) = &mut lent.0 else { return Err(Error::Closed.into()) };
        let outcome = match bounded(patience, work(connection)).await {
            Some(outcome) => outcome,
            None => return Err(Error::TimedOut.into()),
        };
        if outcome.as_ref().err().is_none_or(|error| !matches!(judge(error), Trouble::Cut | Trouble::Away)) {
            lent.give_back();
        }
        outcome
    };
    if dialect::MAY_BE_CUT_SHORT {
        return lend_and_work.await;
    }
    // Whoever gives up waiting leaves it to come to its end.
    match timeout(PATIENCE + patience, tokio::spawn(lend_and_work)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Ok(Err(ended)) => Err(Error::Other(ended.into()).into()),
        Err(_) => Err(Error::TimedOut.into()),
    }
}

/// A connection for something that ends with it.
#[allow(dead_code, reason = "MySQL's migrations only")]
pub(crate) async fn taken(pool: &Pool, hello: Option<Hello>) -> Result<Connection, Error> {
    let mut lent = lend(pool, hello).await?;
    lent.0.take().map(deadpool::Object::take).ok_or(Error::Closed)
}

/// A connection that answers.
async fn lend(pool: &Pool, hello: Option<Hello>) -> Result<Lent, Error> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let object = reached(|| async { Ok(pool.get().await?) });
        let object = timeout(PATIENCE, object).await.map_err(|_| Error::TimedOut)??;
        let mut lent = Lent(Some(object));
        let (Some(hello), Some(connection)) = (hello, &mut lent.0) else { return Ok(lent) };
        match bounded(PATIENCE, hello(connection)).await.ok_or(Error::TimedOut)?.map_err(Error::from) {
            Ok(()) => return Ok(lent),
            Err(error) if judge(&error) == Trouble::Cut && Instant::now() < give_up => {}
            Err(error) => {
                if !matches!(judge(&error), Trouble::Cut | Trouble::Away) {
                    lent.give_back();
                }
                return Err(error);
            }
        }
    }
}

/// Connects, and tries again while that is refused: a server that is restarted is back before long.
pub(crate) async fn reached<T, F: Future<Output = Result<T, Error>>>(connect: impl Fn() -> F) -> Result<T, Error> {
    const BETWEEN: Duration = Duration::from_millis(50);
    let give_up = Instant::now() + PATIENCE - BETWEEN;
    loop {
        match connect().await {
            Err(error @ Error::Connect(_)) if judge(&error) == Trouble::Away && Instant::now() < give_up => {
                tracing::debug!(%error, "no connection to the store yet");
                sleep(BETWEEN).await;
            }
            outcome => return outcome,
        }
    }
}

/// Within `patience`, where work can be cut short.
async fn bounded<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    if dialect::MAY_BE_CUT_SHORT { timeout(patience, work).await.ok() } else { Some(work.await) }
}

/// What the connections of `pool` are doing.
pub(crate) fn usage(pool: &Pool) -> PoolUsage {
    let status = pool.status();
    let count = |connections: usize| u32::try_from(connections).unwrap_or(u32::MAX);
    PoolUsage {
        used: count(status.size.saturating_sub(status.available)),
        idle: count(status.available),
        max: count(status.max_size),
    }
}

/// Ends all connections of `pool` once they are free.
pub(crate) async fn close(pool: &Pool) {
    pool.close();
    while pool.status().size > 0 {
        sleep(Duration::from_millis(5)).await;
    }
}
