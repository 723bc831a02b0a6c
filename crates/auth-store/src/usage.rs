//! What connections are doing.

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
