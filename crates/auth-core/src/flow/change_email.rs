//! Moving an account to another address.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    AuditKind, Code, Context, Email, Issued, Notice, Purpose, Secret, Signed, Status, Timestamp, Token, TokenId, User,
};
use crate::flow::mail;
use crate::flow::proof::{self, ProofError};
use crate::flow::throttle::{self, Throttled};
use crate::port::{Change, CommitError, Rejected, Veto};

/// Asks for the account to move to the address `to`: mails a code and a link there, and a link that undoes it to the address
/// it has.
///
/// - Tells nobody whether the address is taken: the answer is the same, and then its owner is told that they have an account.
/// - Of several requests only the newest counts; each proves only the very address it was mailed to.
///
/// Names the record that the code belongs to.
///
/// # Errors
/// [`RequestError`]; nothing was mailed then.
pub async fn request(auth: &Auth, signed: &Signed, to: &Email, context: &Context) -> Result<TokenId, RequestError> {
    let now = auth.now();
    let user = &signed.user;
    if !signed.is_fresh(now) {
        return Err(RequestError::Stale);
    }
    let limits = &auth.settings.limits;
    let _address = throttle::by_address(auth, "email-change", limits.mail_address, context).await?;
    let _account = throttle::by_user(auth, "email-change", user.id, None, limits.mail_account, context).await?;
    if let Err(veto) = auth.policy.may_change_email(user, to).await {
        return Err(auth.vetoed(veto, Some(user.id), context).await);
    }
    let owner = auth.store.find_user_by_email(to).await?.map(|account| account.user);
    let event = auth.event(AuditKind::EmailChangeRequested, context, now).by(user.id).with("to", to.as_str());
    // A token also for an address that is taken, whose link and code nobody gets: what is stored, and what a wrong code
    // costs, must not tell. And it is bound to the address that the account has: without it a request could pass that was
    // overtaken by an undo, and leave a link to the address that was just undone.
    let (token, mail) = mail::token_mail(auth, user, Purpose::ChangeEmail, to, now, context)?;
    let mail = match owner {
        // It is there already.
        Some(owner) if owner.id == user.id => {
            auth.commit(&[Change::Record(event)]).await?;
            return Ok(token.id);
        }
        Some(owner) if owner.status == Status::Active => Some(mail::exists(auth, &owner, now)?),
        Some(_) => None,
        None => Some(mail),
    };
    let mut changes = vec![
        Change::TrimTokens { user: user.id, purpose: Purpose::ChangeEmail, keep: 0 },
        Change::IssueToken { token, at_most: 1 },
    ];
    changes.extend(mail.map(Change::Enqueue));
    // All of them stay good: whoever took the account over must not get rid of its owner's by asking again.
    let (undo, mail) = mail::undo_mail(auth, user, to, now, context)?;
    changes.push(Change::IssueToken { token: undo, at_most: u32::MAX });
    changes.push(Change::Enqueue(mail));
    changes.push(Change::Record(event));
    match auth.commit(&changes).await {
        // The account has moved meanwhile.
        Err(CommitError::Rejected(Rejected::EmailChanged | Rejected::TooManyTokens)) => {
            Err(RequestError::Fault(Fault::Contended))
        }
        outcome => Ok(outcome.map(|()| mail::record_of(auth, &changes, now))?),
    }
}

/// What proves to receive mail at the new address.
#[derive(Debug)]
pub enum ChangeProof<'a> {
    /// The link's secret, whoever follows it.
    Link(&'a Secret),
    /// The code, typed in by the user; of that record only, where one is named.
    Code(&'a Signed, &'a Code, Option<TokenId>),
}

/// Moves the account to the address that the link or code was mailed to. Sessions go on; links and codes to the address
/// before are dead, but for those that undo it; and that address is told.
///
/// # Errors
/// [`ConfirmError`]; nothing is spent then but, for a code, one attempt.
pub async fn confirm(auth: &Auth, proof: ChangeProof<'_>, context: &Context) -> Result<User, ConfirmError> {
    let counted = throttle::by_address(auth, proof::SCOPE, auth.settings.limits.proof_address, context).await?;
    let outcome = confirm_counted(auth, proof, context).await;
    if !matches!(outcome, Err(ConfirmError::Invalid)) {
        counted.give_back(auth).await;
    }
    outcome
}

async fn confirm_counted(auth: &Auth, proof: ChangeProof<'_>, context: &Context) -> Result<User, ConfirmError> {
    let (now, purpose) = (auth.now(), Purpose::ChangeEmail);
    let proved = match proof {
        ChangeProof::Link(secret) => proof::by_link(auth, secret, purpose, now).await,
        ChangeProof::Code(signed, code, record) => {
            proof::by_code(auth, signed.user.clone(), (code, record), purpose, now, context).await
        }
    };
    let Issued { token, user } = match proved {
        Ok(issued) => issued,
        Err(ProofError::Fault(fault)) => return Err(ConfirmError::Fault(fault)),
        Err(ProofError::Invalid) => return Err(refused(auth, context).await),
    };
    let mut changes = vec![
        Change::SpendToken { user: user.id, token: token.id },
        Change::Enqueue(mail::notice(auth, &user, Notice::EmailChanged, now)?),
        Change::Record(auth.event(AuditKind::EmailChanged, context, now).by(user.id)),
    ];
    changes.extend(proof::forgive(user.id, purpose));
    changes.extend(move_to(&user, &token.email, now));
    commit(auth, user, token.email, changes, now, context).await
}

/// Moves the account back to the address that the link was mailed to, or stops the move where it hasn't happened. Sessions go
/// on.
///
/// # Errors
/// [`ConfirmError`]; nothing is spent then.
pub async fn undo(auth: &Auth, secret: &Secret, context: &Context) -> Result<User, ConfirmError> {
    let counted = throttle::by_address(auth, proof::SCOPE, auth.settings.limits.proof_address, context).await?;
    let outcome = undo_counted(auth, secret, context).await;
    if !matches!(outcome, Err(ConfirmError::Invalid)) {
        counted.give_back(auth).await;
    }
    outcome
}

async fn undo_counted(auth: &Auth, secret: &Secret, context: &Context) -> Result<User, ConfirmError> {
    let now = auth.now();
    // A round is rejected where another of the links was used meanwhile, or somebody took the address.
    for _ in 0..3 {
        let Issued { token, user } = match proof::by_link(auth, secret, Purpose::UndoEmail, now).await {
            Ok(issued) => issued,
            Err(ProofError::Fault(fault)) => return Err(ConfirmError::Fault(fault)),
            Err(ProofError::Invalid) => return Err(refused(auth, context).await),
        };
        let changes = back(auth, &user, &token, now, context).await?;
        match auth.commit(&changes).await {
            Err(CommitError::Rejected(Rejected::Token | Rejected::EmailChanged | Rejected::EmailTaken)) => {}
            // Who would have to make room is the last administrator.
            Err(CommitError::Rejected(Rejected::LastHolder)) => break,
            Err(error) => return Err(error.into()),
            Ok(()) => {
                let before = user.email_verified_at.filter(|_| user.email == token.email);
                return Ok(User { email: token.email, email_verified_at: before.or(Some(now)), ..user });
            }
        }
    }
    Err(refused(auth, context).await)
}

/// What undoing comes to.
async fn back(
    auth: &Auth,
    user: &User,
    token: &Token,
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Change>, Fault> {
    let mut changes = vec![
        Change::SpendToken { user: user.id, token: token.id },
        Change::Record(auth.event(AuditKind::EmailChangeUndone, context, now).by(user.id)),
    ];
    // Later links went to addresses that the account moved to after this one: whoever took it over, and moved it twice, could
    // take the undoing back. Earlier ones stay good: they are those of earlier owners.
    let links = auth.store.tokens_of(user.id, Purpose::UndoEmail).await?;
    let later = links.into_iter().filter(|other| other.created_at > token.created_at && other.email != token.email);
    changes.extend(later.map(|other| Change::SpendToken { user: user.id, token: other.id }));
    if user.email == token.email {
        // Rejected where the account moves at this moment: it is to be moved back then.
        changes.push(Change::VerifyEmail { user: user.id, email: token.email.clone(), at: now });
        changes.push(Change::DropTokens { user: user.id, purpose: Purpose::ChangeEmail });
    } else {
        changes.extend(make_room(auth, user, &token.email, now, context).await?);
        changes.extend(move_to(user, &token.email, now));
    }
    Ok(changes)
}

/// Deletes whoever registered the address meanwhile and never proved it: a thief who moves an account away could keep its owner
/// from taking it back by registering the address anew. The owner has proved it, by the link that was mailed there.
async fn make_room(
    auth: &Auth,
    user: &User,
    email: &Email,
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Change>, Fault> {
    let holder = auth.store.find_user_by_email(email).await?.map(|account| account.user);
    let squatter = holder.filter(|holder| holder.id != user.id && holder.email_verified_at.is_none());
    Ok(squatter.map_or_else(Vec::new, |squatter| {
        let event = auth.event(AuditKind::UserDeleted, context, now).by_on(Some(user.id), squatter.id);
        vec![
            Change::RequireUnverified { user: squatter.id, email: email.clone() },
            Change::DeleteUser { user: squatter.id },
            Change::Record(event),
        ]
    }))
}

/// The move itself. What was mailed to the address before is good for nothing any more, but for undoing.
fn move_to(user: &User, to: &Email, now: Timestamp) -> Vec<Change> {
    let drop = |purpose| Change::DropTokens { user: user.id, purpose };
    vec![
        Change::ChangeEmail { user: user.id, from: user.email.clone(), to: to.clone(), at: now },
        Change::DropPendings { email: to.clone() },
        drop(Purpose::ChangeEmail),
        drop(Purpose::VerifyEmail),
        drop(Purpose::ResetPassword),
    ]
}

async fn commit(
    auth: &Auth,
    user: User,
    to: Email,
    changes: Vec<Change>,
    now: Timestamp,
    context: &Context,
) -> Result<User, ConfirmError> {
    match auth.commit(&changes).await {
        Ok(()) => Ok(User { email: to, email_verified_at: Some(now), ..user }),
        // Somebody else spent it, the account has moved elsewhere, or the address was taken meanwhile: one answer for all.
        Err(CommitError::Rejected(Rejected::Token | Rejected::EmailChanged | Rejected::EmailTaken)) => {
            Err(refused(auth, context).await)
        }
        Err(error) => Err(error.into()),
    }
}

async fn refused(auth: &Auth, context: &Context) -> ConfirmError {
    auth.refuse(auth.event(AuditKind::EmailChangeFailed, context, auth.now()), ConfirmError::Invalid).await
}

/// No move was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The user has to prove again who they are.
    #[error("authenticated too long ago")]
    Stale,
    /// The host's policy refuses.
    #[error(transparent)]
    Vetoed(#[from] Veto),
    /// Too many requests, by address or account.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(RequestError);

/// The account was not moved.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The link or code is unknown, spent, expired, out of attempts, or for something else.
    #[error("not a usable link or code")]
    Invalid,
    /// Too many wrong links and codes from this address.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(ConfirmError);
