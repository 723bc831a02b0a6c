//! Mail: sealed into the outbox by the flow that causes it, opened and sent by a worker.

mod compose;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use self::compose::open;
pub(crate) use self::compose::{
    Application, challenge, code_parts, exists, fresh_code, new_device, notice, pending_mail, session_code, token_mail,
    undo_mail,
};
use crate::auth::Auth;
use crate::domain::{LeaseId, LeasedMail, Mail, Timestamp, TokenId};
use crate::port::{Change, MailError, Mailer, StoreError};

/// Sends mail until `stop`: at once when this process enqueues one, else within a second or two. Mails under way are
/// finished first.
///
/// - Any number of processes may run it on one store; each mail is leased by one of them at a time, for at most 30 s.
/// - A mail that was not taken is tried again after 4 s, then at doubling intervals up to 5 minutes, until what it
///   carries has expired.
/// - Sixteen may be under way at once: a recipient's server that hangs holds up no other's mail.
/// - A store that can't answer is tried again.
pub async fn run(auth: &Auth, mailer: &dyn Mailer, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    let mut leasing = pin!(Fuse::terminated());
    let mut sending = FuturesUnordered::new();
    let (mut may_wait, mut is_stopping) = (true, false);
    loop {
        if is_stopping && leasing.is_terminated() && sending.is_empty() {
            return;
        }
        if may_wait && !is_stopping && leasing.is_terminated() && sending.len() + BATCH <= SIDE_BY_SIDE {
            leasing.set(lease(auth).fuse());
            may_wait = false;
        }
        // Nothing is awaited but here, all of it together: one of the senders may be holding the store's only connection,
        // and while nobody polls it, everybody else would wait for that.
        tokio::select! {
            biased;
            () = &mut stop, if !is_stopping => is_stopping = true,
            leased = &mut leasing => match leased {
                Ok(batch) => {
                    may_wait |= batch.len() == BATCH;
                    sending.extend(batch.into_iter().map(|leased| send(auth, mailer, leased)));
                }
                Err(error) => tracing::warn!(%error, "the outbox can't be read"),
            },
            Some(sent) = sending.next() => {
                if let Err(error) = sent {
                    tracing::warn!(%error, "what became of a mail can't be written down; it may be sent again");
                }
            }
            _ = tokio::time::timeout(POLL, auth.mail_waiting.notified()), if !is_stopping => may_wait = true,
        }
    }
}

/// Sends what is due now, up to a batch, and says how many mails that was.
///
/// # Errors
/// [`StoreError`] when the outbox could not be read or written; what was sent may then be sent again.
pub async fn deliver(auth: &Auth, mailer: &dyn Mailer) -> Result<usize, StoreError> {
    let batch = lease(auth).await?;
    let count = batch.len();
    let sending = batch.into_iter().map(|leased| send(auth, mailer, leased));
    for outcome in futures_util::future::join_all(sending).await {
        outcome?;
    }
    Ok(count)
}

/// The record that the first mail among `changes` is about: what its code may be named by. A name that nobody has where there
/// is none: answers must not differ by that.
pub(crate) fn record_of(auth: &Auth, changes: &[Change], now: Timestamp) -> TokenId {
    let record = changes.iter().find_map(|change| match change {
        Change::IssueToken { token, .. } => Some(token.id),
        Change::AddPending(pending) => Some(pending.id),
        _ => None,
    });
    record.unwrap_or_else(|| TokenId::new(now, &*auth.entropy))
}

async fn lease(auth: &Auth) -> Result<Vec<LeasedMail>, StoreError> {
    let now = auth.now();
    let lease = LeaseId::new(now, &*auth.entropy);
    auth.store.lease_mail(lease, now, now + LEASE, BATCH as u32).await
}

async fn send(auth: &Auth, mailer: &dyn Mailer, leased: LeasedMail) -> Result<(), StoreError> {
    let LeasedMail { mail: sealed, lease, attempts } = leased;
    let (id, kind) = (sealed.id, sealed.kind.as_str());
    if sealed.expires_at <= auth.now() {
        return auth.store.bury_mail(id, lease, "expired before it could be sent").await.map(drop);
    }
    let mail = match open(&auth.ring, &sealed) {
        Ok(mail) => mail,
        Err(error) => {
            tracing::error!(mail = %id, kind, %error, "a mail in the outbox can't be opened");
            return auth.store.bury_mail(id, lease, "can't be opened").await.map(drop);
        }
    };
    let held = match attempt(mailer, &mail).await {
        Ok(()) => auth.store.settle_mail(id, lease).await?,
        Err(MailError::Permanent(reason)) => {
            tracing::error!(mail = %id, kind, reason, "a mail was refused for good");
            auth.store.bury_mail(id, lease, &reason).await?
        }
        Err(MailError::Transient(reason)) => {
            tracing::warn!(mail = %id, kind, attempts, reason, "a mail was not taken; trying again later");
            auth.store.postpone_mail(id, lease, auth.now() + backoff(attempts), &reason).await?
        }
    };
    if !held {
        tracing::warn!(mail = %id, kind, "a mail took longer than its lease; it may be sent twice");
    }
    Ok(())
}

/// One attempt. A mailer that panics, which may be the host's own, has not sent: the worker goes on with the next mail.
async fn attempt(mailer: &dyn Mailer, mail: &Mail) -> Result<(), MailError> {
    let sending = AssertUnwindSafe(mailer.send(mail)).catch_unwind();
    match tokio::time::timeout(SEND_TIMEOUT, sending).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(MailError::Transient("the mailer panicked".into())),
        Err(_) => Err(MailError::Transient("no answer in time".into())),
    }
}

/// The pause after the `attempts`-th failure: 4 s, then twice the one before, up to 5 minutes.
fn backoff(attempts: u32) -> Duration {
    Duration::from_secs((4_u64 << attempts.saturating_sub(1).min(8)).min(300))
}

const LEASE: Duration = Duration::from_secs(30);
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_secs(1);
/// Mails leased at once.
const BATCH: usize = 4;
/// Mails sent at once. Few enough for the last of them to get its turn well before its lease is over.
const SIDE_BY_SIDE: usize = 16;
