#![doc = include_str!("../README.md")]

mod breaker;
mod connection;
mod throttle;

pub use connection::{InvalidUrl, PATIENCE, Redis, RedisFailure, RedisUrl};
pub use throttle::RedisThrottle;
