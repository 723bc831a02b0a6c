//! Mail: sealed into the outbox by the flow that causes it, opened and sent by a worker.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use crate::auth::{Auth, Fault};
use crate::domain::{
    Code, Content, Context, Email, LeaseId, LeasedMail, Link, Mail, MailId, MailKind, Notice, Purpose, SealedMail,
    Secret, Timestamp, Token, TokenId, User,
};
use crate::flow::throttle;
use crate::keys::{KeyRing, MacUse, SealError};
use crate::port::{Entropy, MailError, Mailer, StoreError};
use crate::settings::{RESET_CODE_TTL, RESET_LINK_TTL, VERIFY_TTL};

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

/// A fresh token with the mail that carries its link and code.
pub(crate) fn token_mail(
    auth: &Auth,
    user: &User,
    purpose: Purpose,
    now: Timestamp,
    context: &Context,
) -> Result<(Token, SealedMail), Fault> {
    let (secret, code) = (Secret::new(&*auth.entropy), Code::new(&*auth.entropy));
    let (link_ttl, code_ttl, page) = match purpose {
        Purpose::VerifyEmail => (VERIFY_TTL, VERIFY_TTL, "verify-email"),
        Purpose::ResetPassword => (RESET_LINK_TTL, RESET_CODE_TTL, "reset-password"),
    };
    let id = TokenId::new(now, &*auth.entropy);
    let token = Token {
        id,
        user: user.id,
        purpose,
        email: user.email.clone(),
        link: secret.digest(),
        link_until: now + link_ttl,
        code: auth.ring.mac(MacUse::Code, &code_parts(&id, &user.email, purpose, &code)),
        code_until: now + code_ttl,
        attempts: 0,
        requested_from: throttle::requester(auth, context),
        created_at: now,
    };
    let link = Link::new(format!("{}/{page}?token={}", auth.settings.frontend_url, secret.expose()));
    let content = match purpose {
        Purpose::VerifyEmail => Content::Verify { code, link },
        Purpose::ResetPassword => Content::Reset { code, link },
    };
    let mail = to_user(auth, user, content, now);
    Ok((token, seal(&auth.ring, &mail, now, now + link_ttl, &*auth.entropy)?))
}

/// What a code's MAC is over: bound to its record, address and purpose, it proves nothing elsewhere.
pub(crate) fn code_parts<'a>(id: &'a TokenId, email: &'a Email, purpose: Purpose, code: &'a Code) -> [&'a [u8]; 4] {
    [purpose.as_str().as_bytes(), id.as_bytes(), email.canonical().as_bytes(), code.as_bytes()]
}

/// A mail that tells the account's owner of a change.
pub(crate) fn notice(auth: &Auth, user: &User, notice: Notice, now: Timestamp) -> Result<SealedMail, Fault> {
    let mail = to_user(auth, user, Content::Notice(notice), now);
    Ok(seal(&auth.ring, &mail, now, now + NOTICE_TTL, &*auth.entropy)?)
}

/// News of a change to an account are worth sending for three days.
const NOTICE_TTL: Duration = Duration::from_secs(3 * 24 * 3600);

fn to_user(auth: &Auth, user: &User, content: Content, now: Timestamp) -> Mail {
    Mail {
        id: MailId::new(now, &*auth.entropy),
        to: user.email.clone(),
        name: user.profile.name.clone(),
        locale: user.profile.locale.clone(),
        content,
    }
}

/// Seals a mail's content to its row, recipient and kind: who swaps a recipient in the store gains nothing.
fn seal(
    ring: &KeyRing,
    mail: &Mail,
    created_at: Timestamp,
    expires_at: Timestamp,
    entropy: &dyn Entropy,
) -> Result<SealedMail, SealError> {
    let mut fields = BTreeMap::new();
    match &mail.content {
        Content::Verify { code, link } | Content::Reset { code, link } => {
            fields.insert("code", code.expose());
            fields.insert("link", link.expose().to_owned());
        }
        Content::Notice(notice) => {
            fields.insert("notice", notice.as_str().to_owned());
        }
    }
    fields.extend(mail.name.clone().map(|name| ("name", name)));
    fields.extend(mail.locale.clone().map(|locale| ("locale", locale)));
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&fields).map_err(|_| SealError)?);
    let kind = mail.content.kind();
    let body = ring.seal(&bound_to(&mail.id, &mail.to, kind), &plain, entropy)?;
    Ok(SealedMail { id: mail.id, to: mail.to.clone(), kind, body, created_at, expires_at })
}

fn open(ring: &KeyRing, sealed: &SealedMail) -> Result<Mail, SealError> {
    let plain = ring.open(&bound_to(&sealed.id, &sealed.to, sealed.kind), &sealed.body)?;
    let mut fields: BTreeMap<String, String> = serde_json::from_slice(&plain).map_err(|_| SealError)?;
    let mut take = |key: &str| fields.remove(key);
    let mut code_and_link = || Some((Code::parse(&take("code")?)?, Link::new(take("link")?)));
    let content = match sealed.kind {
        MailKind::Verify => code_and_link().map(|(code, link)| Content::Verify { code, link }),
        MailKind::Reset => code_and_link().map(|(code, link)| Content::Reset { code, link }),
        MailKind::Notice => take("notice").and_then(|word| Notice::parse(&word)).map(Content::Notice),
    };
    Ok(Mail {
        id: sealed.id,
        to: sealed.to.clone(),
        content: content.ok_or(SealError)?,
        name: fields.remove("name"),
        locale: fields.remove("locale"),
    })
}

fn bound_to<'a>(id: &'a MailId, to: &'a Email, kind: MailKind) -> [&'a [u8]; 4] {
    [b"mail", id.as_bytes(), to.as_str().as_bytes(), kind.as_str().as_bytes()]
}
