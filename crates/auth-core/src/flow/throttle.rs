//! Throttles, as the flows use them: counted before anything is verified, given back where it turned out not to count.

use std::net::IpAddr;
use std::time::Duration;

use crate::auth::Auth;
use crate::domain::{AuditKind, Context, DeviceId, Digest, Email, UserId};
use crate::keys::MacUse;
use crate::port::{Change, Limit, Taken, ThrottleKey};

/// Too often: try again when the window is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; try again in {} seconds", .reset.as_secs())]
pub struct Throttled {
    /// The limit that was reached.
    pub limit: Limit,
    /// Until the window ends.
    pub reset: Duration,
}

/// Counts any request at all, per address.
///
/// # Errors
/// [`Throttled`] when the address has used up its minute.
pub async fn admit(auth: &Auth, context: &Context) -> Result<(), Throttled> {
    let Some(subject) = address(context) else { return Ok(()) };
    take(auth, "request", &subject, auth.settings.limits.request_address, context, None).await.map(drop)
}

/// Counts a request of a host's own, per address. `name` tells the host's limits apart; the core's are none of them.
///
/// # Errors
/// [`Throttled`] when the address has used up its window.
pub async fn count(auth: &Auth, name: &str, limit: Limit, context: &Context) -> Result<(), Throttled> {
    by_address(auth, &format!("host/{name}"), limit, context).await.map(drop)
}

/// A use that was counted.
#[derive(Debug)]
#[must_use = "a use that turns out not to count is given back"]
pub(crate) struct Counted(Option<ThrottleKey>);

impl Counted {
    /// Takes the use back: it was a success, or came to nothing.
    pub(crate) async fn give_back(self, auth: &Auth) {
        if let Self(Some(key)) = self {
            auth.throttle.give_back(key, auth.now()).await;
        }
    }
}

/// Counts a use of `scope` by the client's address. Without an address (no network in between) there is nothing to count.
pub(crate) async fn by_address(
    auth: &Auth,
    scope: &str,
    limit: Limit,
    context: &Context,
) -> Result<Counted, Throttled> {
    match address(context) {
        Some(subject) => take(auth, scope, &subject, limit, context, None).await,
        None => Ok(Counted(None)),
    }
}

/// Counts a use of `scope` by the account of an address, existing or not.
pub(crate) async fn by_email(
    auth: &Auth,
    scope: &str,
    email: &Email,
    limit: Limit,
    context: &Context,
    subject: Option<UserId>,
) -> Result<Counted, Throttled> {
    take(auth, scope, &account(auth, email), limit, context, subject).await
}

/// Counts a use of `scope` by a user, and by a device of theirs where one is named.
pub(crate) async fn by_user(
    auth: &Auth,
    scope: &str,
    user: UserId,
    device: Option<DeviceId>,
    limit: Limit,
    context: &Context,
) -> Result<Counted, Throttled> {
    take(auth, scope, &of_user(user, device), limit, context, Some(user)).await
}

/// Forgets what was counted by the account of an address.
pub(crate) async fn clear_by_email(auth: &Auth, scope: &str, email: &Email) {
    auth.throttle.clear(ThrottleKey::new(scope, &account(auth, email))).await;
}

/// Forgets what was counted by a user, or by a device of theirs.
pub(crate) async fn clear_by_user(auth: &Auth, scope: &str, user: UserId, device: Option<DeviceId>) {
    auth.throttle.clear(ThrottleKey::new(scope, &of_user(user, device))).await;
}

fn of_user(user: UserId, device: Option<DeviceId>) -> Vec<u8> {
    let mut subject = user.as_bytes().to_vec();
    subject.extend(device.iter().flat_map(DeviceId::as_bytes));
    subject
}

async fn take(
    auth: &Auth,
    scope: &str,
    subject: &[u8],
    limit: Limit,
    context: &Context,
    about: Option<UserId>,
) -> Result<Counted, Throttled> {
    let (now, key) = (auth.now(), ThrottleKey::new(scope, subject));
    let Taken { allowed, reset, .. } = auth.throttle.take(key, limit, now).await;
    if allowed {
        return Ok(Counted(Some(key)));
    }
    // Recorded once a window: an audit entry per refusal would let a flood of cheap requests fill the store.
    let once = Limit { uses: 1, window: limit.window };
    let scope_recorded = format!("{scope}/recorded");
    if auth.throttle.take(ThrottleKey::new(&scope_recorded, subject), once, now).await.allowed {
        let event = auth.event(AuditKind::Throttled, context, now).about(about).with("scope", scope);
        if let Err(error) = auth.commit(&[Change::Record(event)]).await {
            tracing::error!(scope, %error, "a refusal by throttle could not be recorded");
        }
    }
    Err(Throttled { limit, reset })
}

/// The account of an address, as a throttle names it: under a key, since a plain digest of an address can be guessed.
fn account(auth: &Auth, email: &Email) -> [u8; crate::domain::Mac::LEN] {
    auth.ring.mac(MacUse::Fingerprint, &[b"account", email.canonical().as_bytes()]).to_bytes()
}

/// Whoever asks, by their address, as a store may keep it.
pub(crate) fn requester(auth: &Auth, context: &Context) -> Digest {
    let address = address(context).unwrap_or_default();
    Digest::of(&[&auth.ring.mac(MacUse::Fingerprint, &[b"requester", &address]).to_bytes()])
}

/// An address, as a throttle names it: IPv6 by /64, which is what one customer gets; `::ffff:a.b.c.d` as `a.b.c.d`.
fn address(context: &Context) -> Option<Vec<u8>> {
    Some(match context.ip?.to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets()[..8].to_vec(),
    })
}
