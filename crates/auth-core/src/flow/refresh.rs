//! Rotating the refresh token.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Credential, RefreshState, SessionKey, Signed, Timestamp};
use crate::flow::session::{Authenticated, NewCredential};
use crate::flow::throttle::{self, Throttled};
use crate::port::{Change, CommitError, Rejected};
use crate::refresh_token::PresentedRefresh;
use crate::rules::refresh::{Verdict, judge};
use crate::settings::Reuse;

/// Exchanges a refresh token for its successor and a new access token.
///
/// - Of racing requests with one token, one gets the successor. The others are refused, or, with
///   [`Reuse::Resume`], get the same one; the session lives on.
/// - A token that was replaced earlier, or longer ago than the leeway, is taken for stolen: the session ends, and only
///   that one (RFC 9700 §4.14.2).
/// - Renews the session's idle time, never its absolute limit.
///
/// # Errors
/// [`RefreshError`]; the token is as good or bad as before.
pub async fn refresh(auth: &Auth, token: &str, context: &Context) -> Result<Authenticated, RefreshError> {
    let now = auth.now();
    let times = &auth.settings.lifetimes;
    let presented = PresentedRefresh::parse(token).ok_or(RefreshError::Unauthorized)?;
    // A round that loses its race is judged again, against what the winner made of the session.
    for _ in 0..3 {
        let found = auth.store.find_session(&SessionKey::Id(presented.session)).await?;
        let Some((state, signed)) =
            found.and_then(|signed| Some((signed.session.credential.refresh().copied()?, signed)))
        else {
            return Err(RefreshError::Unauthorized);
        };
        let session = &signed.session;
        // Before anything is counted or ended: a session's id is no secret, and must not be enough to harm it.
        if !presented.is_genuine(&auth.ring, &state.salt) {
            return Err(RefreshError::Unauthorized);
        }
        let is_live = session.is_live(&signed.user, now);
        match judge(presented.counter, &state, times.refresh, times.reuse_leeway, now) {
            Verdict::Rotate if is_live => match rotate(auth, signed, state, now).await {
                Err(CommitError::Rejected(Rejected::Session)) => {}
                Ok((signed, state)) => return Ok(again(auth, signed, state, now)?),
                Err(error) => return Err(error.into()),
            },
            Verdict::JustReplaced if is_live && auth.settings.reuse == Reuse::Resume => {
                return Ok(again(auth, signed, state, now)?);
            }
            Verdict::Reused => return Err(reused(auth, &signed, is_live, now, context).await?),
            // A second tab, or a retried request: refused, and not held against the account.
            Verdict::JustReplaced => {
                record(auth, &signed, context).await?;
                return Err(RefreshError::Unauthorized);
            }
            Verdict::Rotate | Verdict::Dead => {
                return Err(failed(auth, &signed, context).await?);
            }
        }
    }
    Err(RefreshError::Fault(Fault::Contended))
}

fn again(auth: &Auth, signed: Signed, state: RefreshState, now: Timestamp) -> Result<Authenticated, Fault> {
    auth.authenticated(signed.user, signed.session, NewCredential::Tokens(state), now)
}

async fn rotate(
    auth: &Auth,
    mut signed: Signed,
    state: RefreshState,
    now: Timestamp,
) -> Result<(Signed, RefreshState), CommitError> {
    let session = &mut signed.session;
    let (idle_until, kept_until) = (now + auth.settings.lifetimes.idle, auth.kept_until(now));
    let from = state.counter;
    auth.commit(&[Change::RotateRefresh {
        user: session.user,
        session: session.id,
        from,
        at: now,
        idle_until,
        kept_until,
    }])
    .await?;
    let next = RefreshState { counter: from + 1, rotated_at: now, ..state };
    (session.credential, session.last_seen_at) = (Credential::Tokens(next), now);
    (session.idle_until, session.kept_until) = (idle_until, kept_until);
    Ok((signed, next))
}

async fn reused(
    auth: &Auth,
    signed: &Signed,
    is_live: bool,
    now: Timestamp,
    context: &Context,
) -> Result<RefreshError, RefreshError> {
    let error = failed(auth, signed, context).await?;
    if is_live {
        let (user, session) = (signed.user.id, signed.session.id);
        let event = auth.event(AuditKind::RefreshReused, context, now);
        let event = event.about(Some(user)).with("session", &session.to_string());
        match auth.commit(&[Change::CloseSession { user, session, at: now }, Change::Record(event)]).await {
            // Closed already, by another of the thief's requests or by its owner.
            Ok(()) | Err(CommitError::Rejected(Rejected::Session)) => {}
            Err(error) => return Err(error.into()),
        }
        tracing::warn!(%user, %session, "an earlier refresh token came back; its session was ended");
    }
    Ok(error)
}

/// Counts and records a refusal. Only genuine tokens get here, so strangers can't use up the account's budget.
async fn failed(auth: &Auth, signed: &Signed, context: &Context) -> Result<RefreshError, RefreshError> {
    let user = signed.user.id;
    let limit = auth.settings.limits.credential_account;
    let counted = throttle::by_user(auth, "refresh", user, None, limit, context).await;
    Ok(match counted {
        Ok(_) => {
            record(auth, signed, context).await?;
            RefreshError::Unauthorized
        }
        Err(throttled) => throttled.into(),
    })
}

async fn record(auth: &Auth, signed: &Signed, context: &Context) -> Result<(), RefreshError> {
    let event = auth.event(AuditKind::RefreshFailed, context, auth.now()).about(Some(signed.user.id));
    Ok(auth.commit(&[Change::Record(event.with("session", &signed.session.id.to_string()))]).await?)
}

/// The token was not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is malformed, forged, replaced, expired, or its session is dead: one answer for all.
    #[error("not a usable refresh token")]
    Unauthorized,
    /// Too many refused tokens of this account.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(RefreshError);
