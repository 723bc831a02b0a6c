//! Making an account.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{
    Attributes, AuditKind, Context, Email, Epoch, Factors, Password, Pending, Profile, Purpose, Role, Status,
    Timestamp, TokenId, User, UserId,
};
use crate::flow::mail::Application;
use crate::flow::throttle::{self, Throttled};
use crate::flow::{judge_password, mail};
use crate::port::{Change, CommitError, Rejected, Veto};
use crate::rules::one_time::LIVE_RECORDS;
use crate::rules::password::WeakPassword;
use crate::settings::ExistingAddress;

/// What somebody registers with.
#[derive(Debug)]
pub struct Registration {
    /// Where mail goes, and what they will sign in with.
    pub email: Email,
    /// What they will sign in with.
    pub password: Password,
    /// From [`profile::name`](crate::domain::profile::name).
    pub name: Option<String>,
    /// From [`profile::locale`](crate::domain::profile::locale).
    pub locale: Option<String>,
    /// The application's own fields. Never straight from a request.
    pub attributes: Attributes,
}

/// What came of a registration.
#[derive(Debug)]
pub enum Registered {
    /// An account, whose address isn't proved yet, and the record that the mailed code belongs to.
    Created(Box<User>, TokenId),
    /// A mail, one way or the other: nothing tells whether the address had an account.
    Concealed,
}

/// Makes an account and mails a code and a link that prove its address; or, with [`ExistingAddress::Conceal`], a waiting
/// registration that becomes an account once its own mail is confirmed.
///
/// - Of racing registrations of one address, whatever its spelling, one makes an account.
/// - Concealed, an address that has an account costs the same work, and its owner is told by mail (ASVS 6.3.8).
///
/// # Errors
/// [`RegisterError`]; nothing has been made then.
pub async fn register(auth: &Auth, registration: Registration, context: &Context) -> Result<Registered, RegisterError> {
    let now = auth.now();
    let limits = &auth.settings.limits;
    let Registration { email, password, name, .. } = &registration;
    let _counted = throttle::by_address(auth, "register", limits.register_address, context).await?;
    if let Err(veto) = auth.policy.may_register(email).await {
        return Err(auth.vetoed(veto, None, context).await);
    }
    judge_password(auth, password, email, name.as_deref()).await?;
    match auth.settings.existing_address {
        ExistingAddress::Conflict => {
            let (user, token) = openly(auth, registration, now, context).await?;
            Ok(Registered::Created(Box::new(user), token))
        }
        ExistingAddress::Conceal => concealed(auth, registration, now, context).await.map(|()| Registered::Concealed),
    }
}

async fn openly(
    auth: &Auth,
    registration: Registration,
    now: Timestamp,
    context: &Context,
) -> Result<(User, TokenId), RegisterError> {
    let Registration { email, password, name, locale, attributes } = registration;
    // Asked before hashing, or known addresses would buy Argon2 work. What decides is the commit.
    if let Some(account) = auth.store.find_user_by_email(&email).await? {
        return Err(refused(auth, Some(account.user.id), context).await);
    }
    let password = auth.hasher.hash(&password).await?;

    let profile = Profile { name, locale, ..Profile::default() };
    let user = new_user(auth, email, profile, attributes, None, now);
    let (token, mail) = mail::token_mail(auth, &user, Purpose::VerifyEmail, &user.email, now, context)?;
    let (id, event) = (token.id, auth.event(AuditKind::Registered, context, now).by(user.id));
    let changes = [
        Change::CreateUser { user: user.clone(), password: Some(password) },
        Change::IssueToken { token, at_most: 1 },
        Change::Enqueue(mail),
        Change::Record(event),
    ];
    match auth.commit(&changes).await {
        Ok(()) => Ok((user, id)),
        Err(CommitError::Rejected(Rejected::EmailTaken)) => Err(refused(auth, None, context).await),
        Err(error) => Err(error.into()),
    }
}

/// A user as one is born.
pub(super) fn new_user(
    auth: &Auth,
    email: Email,
    profile: Profile,
    attributes: Attributes,
    email_verified_at: Option<Timestamp>,
    now: Timestamp,
) -> User {
    User {
        id: UserId::new(now, &*auth.entropy),
        email,
        email_verified_at,
        profile,
        status: Status::Active,
        epoch: Epoch::FIRST,
        roles: vec![Role::user()],
        roles_version: 0,
        factors: Factors::default(),
        attributes,
        created_at: now,
    }
}

/// The same reads, one hash, one mail and one commit, whoever has the address.
async fn concealed(
    auth: &Auth,
    registration: Registration,
    now: Timestamp,
    context: &Context,
) -> Result<(), RegisterError> {
    let Registration { email, password, name, locale, attributes } = registration;
    let user = auth.store.find_user_by_email(&email).await?.map(|account| account.user);
    let limit = auth.settings.limits.mail_account;
    let id = user.as_ref().map(|user| user.id);
    // Each registration mails somebody: strangers must not fill the owner's mailbox.
    let _counted = throttle::by_email(auth, "register-mail", &email, limit, context, id).await?;
    let password = auth.hasher.hash(&password).await?;
    let application = Application { email, slot: 0, password, name, locale, attributes };
    // A round is rejected where other registrations of the address have taken the same place meanwhile.
    for _ in 0..4 {
        let others = auth.store.pendings_of(&application.email).await?;
        let changes = match &user {
            None => wait(auth, application.clone(), &others, now, context)?,
            Some(owner) => {
                let event = auth.event(AuditKind::RegistrationRefused, context, now).about(Some(owner.id));
                let mail = (owner.status == Status::Active).then(|| mail::exists(auth, owner, now)).transpose()?;
                mail.map(Change::Enqueue).into_iter().chain([Change::Record(event)]).collect()
            }
        };
        match auth.commit(&changes).await {
            Err(CommitError::Rejected(Rejected::Token | Rejected::TooManyTokens)) => {}
            outcome => return Ok(outcome?),
        }
    }
    // So many register the address at this moment that its owner gets mail enough. An error would tell that there is none.
    let event = auth.event(AuditKind::RegistrationRefused, context, now);
    Ok(auth.commit(&[Change::Record(event)]).await?)
}

/// A waiting registration in a place of its own: a free one; or of an expired one; or of the newest that the same client
/// asked for; or of the newest of all. Were it the oldest, a stranger who keeps registering would take the owner's mail away.
fn wait(
    auth: &Auth,
    application: Application,
    others: &[Pending],
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Change>, Fault> {
    let requester = throttle::requester(auth, context);
    let free = (0..LIVE_RECORDS).find(|slot| others.iter().all(|other| other.slot != *slot));
    let expired = || others.iter().find(|other| other.link_until <= now);
    let own = || others.iter().find(|other| other.requested_from == requester);
    let replaced = if free.is_some() { None } else { expired().or_else(own).or(others.first()) };
    let slot = free.or(replaced.map(|other| other.slot)).unwrap_or_default();
    let replaced = replaced.map(|other| other.id);
    let application = Application { slot, ..application };
    put_up(auth, application, replaced, AuditKind::RegistrationPending, now, context)
}

/// A waiting registration with a fresh mail, in place of `replaced`.
pub(super) fn put_up(
    auth: &Auth,
    application: Application,
    replaced: Option<TokenId>,
    kind: AuditKind,
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Change>, Fault> {
    let (pending, mail) = mail::pending_mail(auth, application, now, context)?;
    let mut changes: Vec<Change> = replaced.map(|pending| Change::SpendPending { pending }).into_iter().collect();
    changes.push(Change::AddPending(pending));
    changes.push(Change::Enqueue(mail));
    changes.push(Change::Record(auth.event(kind, context, now)));
    Ok(changes)
}

async fn refused(auth: &Auth, user: Option<UserId>, context: &Context) -> RegisterError {
    let event = auth.event(AuditKind::RegistrationRefused, context, auth.now()).about(user);
    auth.refuse(event, RegisterError::EmailTaken).await
}

/// The account was not made.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The address has an account.
    #[error("the address has an account")]
    EmailTaken,
    /// The password is not good enough.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The host's policy refuses.
    #[error(transparent)]
    Vetoed(#[from] Veto),
    /// Too many registrations from this address, or of it.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(RegisterError);
