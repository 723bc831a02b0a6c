//! Copies in this process, which hears what others commit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use auth_core::adapter::LocalSessions;
use auth_core::domain::UserId;
use futures_util::StreamExt as _;
use redis::aio::PubSub;
use tokio::time::sleep;

use super::CHANNEL;
use crate::Redis;

/// Copies in this process, to be found while it hears what others commit.
pub(super) struct Local {
    pub(super) copies: LocalSessions,
    is_live: AtomicBool,
}

/// How long after a connection was lost, or couldn't be had, it is tried again.
const PAUSE: Duration = Duration::from_millis(500);

impl Local {
    /// One that listens, for as long as somebody holds it.
    pub(super) fn listening(redis: Redis, longest: Duration) -> Arc<Self> {
        let local = Arc::new(Self { copies: LocalSessions::new(longest), is_live: AtomicBool::new(false) });
        tokio::spawn(listen(redis, Arc::downgrade(&local)));
        local
    }

    pub(super) fn is_live(&self) -> bool {
        self.is_live.load(Ordering::SeqCst)
    }

    /// From here on everything is heard: what was kept before may have missed something.
    fn begin(&self) {
        self.copies.forget_all_now();
        self.is_live.store(true, Ordering::SeqCst);
    }

    /// In this order: who found it live may still find a copy, but one that was good a moment ago; and whoever keeps one now
    /// has a ticket from before.
    fn end(&self) {
        self.is_live.store(false, Ordering::SeqCst);
        self.copies.forget_all_now();
    }

    fn hear(&self, said: &[u8]) {
        match <[u8; 16]>::try_from(said) {
            Ok(user) => self.copies.forget_now(UserId::from(uuid::Uuid::from_bytes(user))),
            // Everybody; or what a later version says, which could be anybody.
            Err(_) => self.copies.forget_all_now(),
        }
    }
}

/// Listens until nobody holds the copies any more. That it has stopped, and that it goes on, is said once.
async fn listen(redis: Redis, local: Weak<Local>) {
    let mut was_lost = false;
    while local.strong_count() > 0 {
        if let Ok(connection) = redis.subscribe(CHANNEL).await {
            if let Some(local) = local.upgrade() {
                local.begin();
            }
            if was_lost {
                tracing::info!("this node hears again what others end, and keeps copies of sessions");
            }
            until_lost(connection, &local).await;
            let Some(local) = local.upgrade() else { return };
            local.end();
            was_lost = true;
            tracing::warn!(
                "this node doesn't hear from Redis what others end: until it does, it keeps no copies of sessions"
            );
        }
        sleep(PAUSE).await;
    }
}

/// Hears what is said until the connection is lost, or doesn't answer any more: a server that is frozen, or gone without a word,
/// closes nothing.
async fn until_lost(connection: PubSub, local: &Weak<Local>) {
    let (mut sink, mut messages) = connection.split();
    loop {
        tokio::select! {
            message = messages.next() => match (message, local.upgrade()) {
                (Some(message), Some(local)) => local.hear(message.get_payload_bytes()),
                _ => return,
            },
            () = sleep(PAUSE) => {
                let answer = tokio::time::timeout(PAUSE, sink.ping::<redis::Value>()).await;
                if !matches!(answer, Ok(Ok(_))) || local.strong_count() == 0 {
                    return;
                }
            }
        }
    }
}
