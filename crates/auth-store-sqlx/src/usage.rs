//! What connections are doing.

use sqlx::{Database, Pool};

/// What the connections of a pool are doing at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUsage {
    /// At work, or being opened.
    pub used: u32,
    /// Open, and waiting for work.
    pub idle: u32,
    /// How many there may be.
    pub max: u32,
}

impl PoolUsage {
    /// Of `pool`, of whose connections `at_hand` wait for work outside.
    pub(crate) fn of<Db: Database>(pool: &Pool<Db>, at_hand: usize) -> Self {
        // Both figures are read one after the other, and need not agree.
        let idle = u32::try_from(pool.num_idle() + at_hand).unwrap_or(u32::MAX);
        Self { used: pool.size().saturating_sub(idle), idle, max: pool.options().get_max_connections() }
    }
}
