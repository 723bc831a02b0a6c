//! What the nodes of one service share beside the database.

use std::time::Duration;

#[cfg(feature = "redis")]
use auth_cache_redis::RedisUrl;
use auth_core::adapter::LocalSessions;

use super::reader::Reader;

/// Redis, where nodes keep what they share.
#[cfg(feature = "redis")]
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) url: RedisUrl,
    /// What the keys of this service begin with.
    pub(crate) prefix: String,
}

impl Reader {
    /// How long a credential may be answered from this process's memory: by default for a second where nodes tell each other
    /// what is out of date, and else not at all.
    pub(super) fn local_cache(&mut self) -> Duration {
        let default = if cfg!(feature = "redis") && self.source.was_given("REDIS_URL") {
            LocalSessions::LONGEST
        } else {
            Duration::ZERO
        };
        let Some(text) = self.source.take("AUTH_LOCAL_CACHE") else { return default };
        let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        seconds.filter(|seconds| *seconds <= LocalSessions::LONGEST).unwrap_or_else(|| {
            self.mistake("AUTH_LOCAL_CACHE must be a number of seconds from 0 to 1");
            default
        })
    }

    #[cfg(feature = "redis")]
    pub(super) fn shared(&mut self) -> Option<Shared> {
        let prefix = self.source.take("REDIS_PREFIX");
        let Some(url) = self.source.take("REDIS_URL") else {
            if prefix.is_some() {
                self.mistake("REDIS_PREFIX means nothing without REDIS_URL");
            }
            return None;
        };
        let url = RedisUrl::parse(&url).map_err(|error| self.mistake(format!("REDIS_URL: {error}")));
        let prefix = prefix.unwrap_or_else(|| "auth:".to_owned());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if !prefix.chars().all(is_plain) || prefix.len() > 64 {
            self.mistake("REDIS_PREFIX must be up to 64 letters, digits, hyphens, dots, colons and underscores");
        }
        Some(Shared { url: url.ok()?, prefix })
    }

    #[cfg(not(feature = "redis"))]
    pub(super) fn no_redis(&mut self) {
        let names = ["REDIS_URL", "REDIS_PREFIX"];
        let given: Vec<&str> = names.into_iter().filter(|name| self.source.take(name).is_some()).collect();
        if !given.is_empty() {
            self.mistake(format!("{}: this build has no Redis", given.join(", ")));
        }
    }
}
