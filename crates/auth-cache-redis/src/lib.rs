#![doc = include_str!("../README.md")]

mod address;
mod breaker;
mod connection;
mod debts;
mod idempotency;
mod record;
mod script;
mod server;
mod sessions;
mod throttle;

pub use address::{InvalidUrl, RedisUrl};
pub use connection::{PATIENCE, Redis, RedisFailure};
pub use idempotency::RedisIdempotency;
pub use sessions::RedisSessions;
pub use throttle::RedisThrottle;
