//! Connections that many reads share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use auth_store::retry::PATIENCE;
use auth_store::trouble::Trouble;
use auth_store::usage::PoolUsage;
use diesel_async::AsyncPgConnection;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::PIPELINES;
use super::address::Address;
use super::store::{Select, judge, reached};
use crate::error::Error;

/// A few connections, each with any number of reads under way: queries are sent without waiting for the answers to those
/// before, so a round trip costs no read its turn.
///
/// For reads only, and for those that are quick: a transaction would be everybody's, and a slow query holds up those behind
/// it. A read that is given up leaves its answer to be passed over.
#[derive(Clone)]
pub(crate) struct Pipelines(Arc<Shared>);

struct Shared {
    address: Address,
    pipelines: [Pipeline; PIPELINES],
    is_closed: AtomicBool,
}

#[derive(Default)]
struct Pipeline {
    under_way: AtomicUsize,
    /// Held while connecting: the others wait for the same connection.
    connection: Mutex<Option<Arc<AsyncPgConnection>>>,
}

impl Pipelines {
    /// Connects when there is something to read.
    pub(super) fn to(address: Address) -> Self {
        Self(Arc::new(Shared { address, pipelines: Default::default(), is_closed: AtomicBool::new(false) }))
    }

    /// All rows of a query, over the connection with the fewest reads under way.
    pub(super) async fn fetch<U: Send + 'static>(&self, query: impl Select<U>) -> Result<Vec<U>, Error> {
        let Some(pipeline) = self.0.pipelines.iter().min_by_key(|pipeline| pipeline.under_way.load(Ordering::Relaxed))
        else {
            return Err(Error::Closed);
        };
        let _turn = Turn::of(pipeline);
        let connection = timeout(PATIENCE, self.connection(pipeline)).await.map_err(|_| Error::TimedOut)??;
        let outcome = match timeout(PATIENCE, query.all(&connection)).await {
            Ok(outcome) => outcome.map_err(Error::from),
            Err(_) => Err(Error::TimedOut),
        };
        if outcome.as_ref().is_err_and(|error| matches!(judge(error), Trouble::Cut | Trouble::Away)) {
            pipeline.drop_connection(&connection).await;
        }
        outcome
    }

    async fn connection(&self, pipeline: &Pipeline) -> Result<Arc<AsyncPgConnection>, Error> {
        if self.0.is_closed.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        let mut connection = pipeline.connection.lock().await;
        match &*connection {
            Some(connection) => Ok(connection.clone()),
            None => {
                let new = reached(|| async { Ok(self.0.address.connect().await?) }).await?;
                Ok(connection.insert(Arc::new(new)).clone())
            }
        }
    }

    /// What the connections are doing.
    pub(super) fn usage(&self) -> PoolUsage {
        let (mut used, mut idle) = (0, 0);
        for pipeline in &self.0.pipelines {
            let is_used = pipeline.under_way.load(Ordering::Relaxed) > 0;
            let is_open = pipeline.connection.try_lock().map_or(true, |connection| connection.is_some());
            used += u32::from(is_used);
            idle += u32::from(is_open && !is_used);
        }
        PoolUsage { used, idle, max: u32::try_from(PIPELINES).unwrap_or(u32::MAX) }
    }

    /// Ends all connections, each once nobody reads over it any more.
    pub(super) async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        for pipeline in &self.0.pipelines {
            *pipeline.connection.lock().await = None;
        }
    }
}

impl Pipeline {
    /// Unless another has taken its place already.
    async fn drop_connection(&self, dead: &Arc<AsyncPgConnection>) {
        self.connection.lock().await.take_if(|connection| Arc::ptr_eq(connection, dead));
    }
}

/// A read that is under way.
struct Turn<'p>(&'p Pipeline);

impl<'p> Turn<'p> {
    fn of(pipeline: &'p Pipeline) -> Self {
        pipeline.under_way.fetch_add(1, Ordering::Relaxed);
        Self(pipeline)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
