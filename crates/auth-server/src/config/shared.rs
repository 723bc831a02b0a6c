//! What the nodes of one service share beside the database.

#[cfg(feature = "redis")]
use auth_cache_redis::RedisUrl;

use super::reader::Reader;

/// The Redis server on which nodes count together.
#[cfg(feature = "redis")]
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) url: RedisUrl,
    /// What the keys of this service begin with.
    pub(crate) prefix: String,
}

impl Reader {
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
        let prefix = prefix.unwrap_or_else(|| "portcullis".to_owned());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !prefix.chars().all(is_plain) || prefix.len() > 64 {
            self.mistake("REDIS_PREFIX must be up to 64 letters, digits, hyphens, dots and underscores");
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
