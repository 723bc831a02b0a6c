//! Proving to receive mail at an address, with a mailed link or code.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    AuditKind, Budget, Code, Context, Email, Issued, Purpose, Secret, Status, Timestamp, Token, UserId,
};
use crate::flow::mail;
use crate::keys::MacUse;
use crate::port::{Change, CommitError, Rejected};
use crate::settings::{CODE_ATTEMPTS, CODE_BUDGETS};

/// The scope that wrong links and codes are counted in, by address.
pub(crate) const SCOPE: &str = "proof";

/// What somebody presents from a mail.
#[derive(Debug)]
pub enum Proof {
    /// The link's secret.
    Link(Secret),
    /// The code, and the address it was mailed to.
    Code {
        /// The address.
        email: Email,
        /// The code.
        code: Code,
    },
}

/// The link or code is unknown, spent, expired, out of attempts, or for something else: one answer for all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
    #[error("not a usable link or code")]
    Invalid,
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(ProofError);

/// The token behind a proof, with its user. Spends nothing but, for a code, one attempt.
///
/// A code's attempt is claimed, and committed, before it is compared with anything: of fifty parallel guesses no more
/// are compared than there are attempts.
pub(crate) async fn prove(
    auth: &Auth,
    proof: &Proof,
    purpose: Purpose,
    now: Timestamp,
    context: &Context,
) -> Result<Issued, ProofError> {
    match proof {
        Proof::Link(secret) => by_link(auth, secret, purpose, now).await,
        Proof::Code { email, code } => by_code(auth, email, code, purpose, now, context).await,
    }
}

async fn by_link(auth: &Auth, secret: &Secret, purpose: Purpose, now: Timestamp) -> Result<Issued, ProofError> {
    let issued = auth.store.find_token(&secret.digest()).await?.ok_or(ProofError::Invalid)?;
    let Issued { token, user } = &issued;
    let is_good = token.purpose == purpose
        && now < token.link_until
        && token.email == user.email
        && user.status == Status::Active;
    if is_good { Ok(issued) } else { Err(ProofError::Invalid) }
}

async fn by_code(
    auth: &Auth,
    email: &Email,
    code: &Code,
    purpose: Purpose,
    now: Timestamp,
    context: &Context,
) -> Result<Issued, ProofError> {
    let account = auth.store.find_user_by_email(email).await?;
    let Some(user) = account.map(|account| account.user).filter(|user| user.status == Status::Active) else {
        // One read and one commit, as for a known address: the two must not differ in time.
        auth.store.tokens_of(UserId::new(now, &*auth.entropy), purpose).await?;
        auth.commit(&[attempt(auth, purpose, None, now, context)]).await?;
        return Err(ProofError::Invalid);
    };
    let token = claim(auth, user.id, purpose, now, context).await?.into_iter().find(|token| {
        token.email == user.email
            && auth.ring.verify(MacUse::Code, &mail::code_parts(&token.id, &token.email, purpose, code), &token.code)
    });
    token.map(|token| Issued { token, user }).ok_or(ProofError::Invalid)
}

/// Claims one attempt at each of the user's live codes, and one use of the account's budgets; returns those codes.
async fn claim(
    auth: &Auth,
    user: UserId,
    purpose: Purpose,
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Token>, ProofError> {
    let budget = budget(purpose);
    // Each round that is rejected for attempts means that somebody else used up a code: there are three at most.
    for _ in 0..4 {
        let mut tokens = auth.store.tokens_of(user, purpose).await?;
        tokens.retain(|token| now < token.code_until && token.attempts < CODE_ATTEMPTS);
        let mut changes = vec![attempt(auth, purpose, Some(user), now, context)];
        if !tokens.is_empty() {
            changes.extend(CODE_BUDGETS.map(|(limit, window)| Change::Charge { user, budget, limit, window, at: now }));
            let claim = |token: &Token| Change::ClaimAttempt { user, token: token.id, limit: CODE_ATTEMPTS };
            changes.extend(tokens.iter().map(claim));
        }
        match auth.commit(&changes).await {
            Ok(()) => return Ok(tokens),
            Err(CommitError::Rejected(Rejected::Attempts)) => {}
            Err(CommitError::Rejected(Rejected::Budget)) => return Err(ProofError::Invalid),
            Err(error) => return Err(error.into()),
        }
    }
    Err(ProofError::Invalid)
}

fn attempt(auth: &Auth, purpose: Purpose, user: Option<UserId>, now: Timestamp, context: &Context) -> Change {
    Change::Record(auth.event(AuditKind::CodeTried, context, now).about(user).with("purpose", purpose.as_str()))
}

/// The budget that attempts at codes of a purpose are charged to.
pub(crate) const fn budget(purpose: Purpose) -> Budget {
    match purpose {
        Purpose::VerifyEmail => Budget::VerifyCode,
        Purpose::ResetPassword => Budget::ResetCode,
    }
}
