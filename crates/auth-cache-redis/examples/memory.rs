//! Measures what a remembered session takes on Redis: `cargo run --release --example memory -- redis://127.0.0.1:6379 200000`.
//!
//! Remembers so many sessions, each of a user of its own, beside whatever is there, and compares what Redis says of its memory. They are
//! gone a minute later.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use auth_cache_redis::{Redis, RedisSessions, RedisUrl};
use auth_core::domain::{SessionKey, Signed};
use auth_core::port::{Cached, SessionCache};
use auth_testkit::given;
use futures_util::{StreamExt as _, stream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("memory URL COUNT".into());
    };
    let count: u32 = count.parse()?;
    let redis = Redis::with_patience(&RedisUrl::parse(&url)?, "measured:", Duration::from_secs(20))?;
    let sessions = RedisSessions::new(redis).with_lifetime(Duration::from_secs(60));
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;

    let before = used(&mut connection).await?;
    let remember = async |_| {
        let user = given::user();
        let signed = Arc::new(Signed { session: given::session(&user), user });
        if let Cached::Miss(ticket) = sessions.find(&SessionKey::Id(signed.session.id), signed.user.id).await {
            sessions.keep(ticket, &signed).await;
        }
    };
    stream::iter(0..count).map(remember).buffer_unordered(256).collect::<()>().await;
    let taken = used(&mut connection).await?.saturating_sub(before);

    println!("{count} sessions take {taken} bytes: {} each", taken / u64::from(count.max(1)));
    Ok(())
}

/// What Redis has allocated, in bytes.
async fn used(connection: &mut redis::aio::MultiplexedConnection) -> Result<u64, Box<dyn Error>> {
    let info: String = redis::cmd("INFO").arg("memory").query_async(connection).await?;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).ok_or("no used_memory")?;
    Ok(used.parse()?)
}
