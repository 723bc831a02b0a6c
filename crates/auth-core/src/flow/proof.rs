//! Proving to receive mail at an address, with a mailed link or code.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    AuditKind, Code, Context, Email, Issued, Pending, Purpose, Secret, Signed, Status, Subject, Timestamp, Token,
    TokenId, User, UserId,
};
use crate::flow::mail;
use crate::keys::MacUse;
use crate::port::{Change, CommitError, Rejected};
use crate::rules::one_time::{CODE_ATTEMPTS, CODE_BUDGETS};

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
        /// The record that it belongs to, where it is named: then it is good for no other.
        record: Option<TokenId>,
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
        Proof::Code { email, code, record } => {
            let account = auth.store.find_user_by_email(email).await?;
            match account.map(|account| account.user).filter(|user| user.status == Status::Active) {
                Some(user) => by_code(auth, user, (code, *record), purpose, now, context).await,
                None => {
                    // One read and one commit, as for a known address: the two must not differ in time.
                    auth.store.tokens_of(UserId::new(now, &*auth.entropy), purpose).await?;
                    auth.commit(&[attempt(auth, purpose, None, now, context)]).await?;
                    Err(ProofError::Invalid)
                }
            }
        }
    }
}

/// The token behind a link.
pub(crate) async fn by_link(
    auth: &Auth,
    secret: &Secret,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Issued, ProofError> {
    let issued = auth.store.find_token(&secret.digest()).await?.ok_or(ProofError::Invalid)?;
    let Issued { token, user } = &issued;
    let is_good =
        token.purpose == purpose && now < token.link_until && is_bound(token, user) && user.status == Status::Active;
    if is_good { Ok(issued) } else { Err(ProofError::Invalid) }
}

/// A code, and the record that it is said to belong to.
pub(crate) type Named<'a> = (&'a Code, Option<TokenId>);

/// The token of `user` behind a code.
pub(crate) async fn by_code(
    auth: &Auth,
    user: User,
    (code, record): Named<'_>,
    purpose: Purpose,
    now: Timestamp,
    context: &Context,
) -> Result<Issued, ProofError> {
    let token = claim(auth, user.id, record, purpose, now, context)
        .await?
        .into_iter()
        .find(|token| is_bound(token, &user) && is_code_of(auth, token, code, now));
    token.map(|token| Issued { token, user }).ok_or(ProofError::Invalid)
}

/// The token behind a code that was mailed for a session, to the address that the account still has. Whoever has another session
/// of the user can't use it.
pub(crate) async fn in_session(
    auth: &Auth,
    signed: &Signed,
    (code, record): (&str, Option<TokenId>),
    purpose: Purpose,
    now: Timestamp,
    context: &Context,
) -> Result<Token, ProofError> {
    let user = &signed.user;
    // One that was mailed before they switched the app on.
    if !purpose.is_open_to(user) {
        return Err(ProofError::Invalid);
    }
    let tokens = auth.store.tokens_of(user.id, purpose).await?;
    let token = tokens.into_iter().find(|token| {
        record.is_none_or(|record| record == token.id)
            && token.session == Some(signed.session.id)
            && token.attempts < CODE_ATTEMPTS
            && is_bound(token, user)
    });
    let token = token.ok_or(ProofError::Invalid)?;
    claim_one(auth, user.id, &token, now, context).await?;
    match Code::parse(code) {
        Some(code) if is_code_of(auth, &token, &code, now) => Ok(token),
        _ => Err(ProofError::Invalid),
    }
}

/// Claims one attempt at a token's code: committed before anything is compared.
pub(crate) async fn claim_one(
    auth: &Auth,
    user: UserId,
    token: &Token,
    now: Timestamp,
    context: &Context,
) -> Result<(), ProofError> {
    let claim = [
        Change::ClaimAttempt { user, token: token.id, limit: CODE_ATTEMPTS },
        attempt(auth, token.purpose, Some(user), now, context),
    ];
    match auth.commit(&claim).await {
        Ok(()) => Ok(()),
        Err(CommitError::Rejected(Rejected::Attempts)) => Err(ProofError::Invalid),
        Err(error) => Err(error.into()),
    }
}

/// Whether `code` is the one mailed with the token, and lives.
pub(crate) fn is_code_of(auth: &Auth, token: &Token, code: &Code, now: Timestamp) -> bool {
    let parts = mail::code_parts(&token.id, &token.email, token.purpose, code);
    now < token.code_until && token.code.is_some_and(|mac| auth.ring.verify(MacUse::Code, &parts, &mac))
}

/// Whether the account's address is still the one that the token was made for.
fn is_bound(token: &Token, user: &User) -> bool {
    token.account.as_ref().is_none_or(|account| *account == user.email)
}

/// Claims one attempt at each of the user's live codes, and one use of the account's budgets; returns those codes.
async fn claim(
    auth: &Auth,
    user: UserId,
    record: Option<TokenId>,
    purpose: Purpose,
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Token>, ProofError> {
    // Each round that is rejected for attempts means that somebody else used up a code: there are three at most.
    for _ in 0..4 {
        let mut tokens = auth.store.tokens_of(user, purpose).await?;
        tokens.retain(|token| record.is_none_or(|record| record == token.id));
        tokens.retain(|token| token.code.is_some() && now < token.code_until && token.attempts < CODE_ATTEMPTS);
        let claims = tokens.iter().map(|token| Change::ClaimAttempt { user, token: token.id, limit: CODE_ATTEMPTS });
        let attempt = attempt(auth, purpose, Some(user), now, context);
        if spend(auth, attempt, claims.collect(), user.into(), purpose, now).await? {
            return Ok(tokens);
        }
    }
    Err(ProofError::Invalid)
}

/// The waiting registration behind a link.
pub(crate) async fn waiting_by_link(auth: &Auth, secret: &Secret, now: Timestamp) -> Result<Pending, ProofError> {
    let found = auth.store.find_pending(&secret.digest()).await?;
    found.filter(|pending| now < pending.link_until).ok_or(ProofError::Invalid)
}

/// The waiting registration of `email` behind a code, whose attempts are claimed first.
pub(crate) async fn waiting_by_code(
    auth: &Auth,
    email: &Email,
    (code, record): Named<'_>,
    now: Timestamp,
    context: &Context,
) -> Result<Pending, ProofError> {
    let purpose = Purpose::VerifyEmail;
    for _ in 0..4 {
        let mut waiting = auth.store.pendings_of(email).await?;
        waiting.retain(|pending| record.is_none_or(|record| record == pending.id));
        waiting.retain(|pending| now < pending.code_until && pending.attempts < CODE_ATTEMPTS);
        let claims = waiting.iter().map(|pending| Change::ClaimPending { pending: pending.id, limit: CODE_ATTEMPTS });
        let (attempt, subject) = (attempt(auth, purpose, None, now, context), subject(auth, email));
        if spend(auth, attempt, claims.collect(), subject, purpose, now).await? {
            let is_meant = |pending: &Pending| {
                let parts = mail::code_parts(&pending.id, &pending.email, purpose, code);
                auth.ring.verify(MacUse::Code, &parts, &pending.code)
            };
            return waiting.into_iter().find(is_meant).ok_or(ProofError::Invalid);
        }
    }
    Err(ProofError::Invalid)
}

/// Whom attempts at the codes of an address without an account are charged to.
pub(crate) fn subject(auth: &Auth, email: &Email) -> Subject {
    let mac = auth.ring.mac(MacUse::Fingerprint, &[b"waiting", email.canonical().as_bytes()]);
    Subject::of_address(&crate::domain::Digest::of(&[mac.tag()]))
}

/// Commits an attempt with its claims and charges; `false` where a code was used up meanwhile. Where no code is live there
/// is nothing to charge.
async fn spend(
    auth: &Auth,
    attempt: Change,
    claims: Vec<Change>,
    subject: Subject,
    purpose: Purpose,
    now: Timestamp,
) -> Result<bool, ProofError> {
    let mut changes = vec![attempt];
    if let Some(budget) = purpose.budget().filter(|_| !claims.is_empty()) {
        let charge = |(limit, window)| Change::Charge { subject, budget, limit, window, at: now };
        changes.extend(CODE_BUDGETS.map(charge));
    }
    changes.extend(claims);
    match auth.commit(&changes).await {
        Ok(()) => Ok(true),
        Err(CommitError::Rejected(Rejected::Attempts)) => Ok(false),
        Err(CommitError::Rejected(Rejected::Budget)) => Err(ProofError::Invalid),
        Err(error) => Err(error.into()),
    }
}

/// Forgets the attempts at codes of a purpose: the right one was there.
pub(crate) fn forgive(subject: impl Into<Subject>, purpose: Purpose) -> Option<Change> {
    purpose.budget().map(|budget| Change::Forgive { subject: subject.into(), budget })
}

fn attempt(auth: &Auth, purpose: Purpose, user: Option<UserId>, now: Timestamp, context: &Context) -> Change {
    Change::Record(auth.event(AuditKind::CodeTried, context, now).about(user).with("purpose", purpose.as_str()))
}
