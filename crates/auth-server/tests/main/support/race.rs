//! Requests released by one barrier.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::client::{Call, Reply};

/// Connects all of `calls`, then sends them at one moment. Replies are in the order of the calls.
pub(crate) async fn race(calls: impl IntoIterator<Item = Call>) -> Vec<Reply> {
    let calls: Vec<_> = calls.into_iter().collect();
    let start = Arc::new(Barrier::new(calls.len()));
    let mut racers = JoinSet::new();
    for (i, call) in calls.into_iter().enumerate() {
        let start = start.clone();
        racers.spawn(async move {
            let connected = call.connect().await.unwrap();
            start.wait().await;
            (i, connected.send().await.unwrap())
        });
    }
    let mut replies = racers.join_all().await;
    replies.sort_unstable_by_key(|(i, _)| *i);
    replies.into_iter().map(|(_, reply)| reply).collect()
}

/// How many of `replies` have that status.
pub(crate) fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

/// The one reply with `winning`, where all others are the problem `losing`.
pub(crate) fn single(replies: &[Reply], winning: u16, losing: (u16, &str)) -> usize {
    let winners: Vec<usize> = (0..replies.len()).filter(|i| replies[*i].status == winning).collect();
    let [winner] = winners[..] else { panic!("one winner expected, not {winners:?}: {replies:?}") };
    replies.iter().filter(|reply| reply.status != winning).for_each(|reply| reply.is_problem(losing.0, losing.1));
    winner
}
