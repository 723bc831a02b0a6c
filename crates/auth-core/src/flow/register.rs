//! Making an account.

use crate::auth::{Auth, Fault, fault_into};
use crate::domain::{AuditKind, Context, Email, Epoch, Password, Profile, Purpose, Role, Status, User, UserId};
use crate::flow::throttle::{self, Throttled};
use crate::flow::{judge_password, mail};
use crate::port::{Change, CommitError, Rejected};
use crate::rules::password::WeakPassword;

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
}

/// Makes an account whose address isn't proved yet, and mails a code and a link that prove it.
///
/// Of racing registrations of one address, whatever its spelling, one succeeds.
///
/// # Errors
/// [`RegisterError`]; nothing has been made then.
pub async fn register(auth: &Auth, registration: Registration, context: &Context) -> Result<User, RegisterError> {
    let now = auth.now();
    let Registration { email, password, name, locale } = registration;
    let _counted = throttle::by_address(auth, "register", auth.settings.limits.register_address, context).await?;
    judge_password(auth, &password, &email, name.as_deref()).await?;
    // Asked before hashing, or known addresses would buy Argon2 work. What decides is the commit.
    if let Some(account) = auth.store.find_user_by_email(&email).await? {
        return Err(refused(auth, Some(account.user.id), context).await);
    }
    let password = auth.hasher.hash(&password).await?;

    let user = User {
        id: UserId::new(now, &*auth.entropy),
        email,
        email_verified_at: None,
        profile: Profile { name, locale, ..Profile::default() },
        status: Status::Active,
        epoch: Epoch::FIRST,
        roles: vec![Role::user()],
        created_at: now,
    };
    let (token, mail) = mail::token_mail(auth, &user, Purpose::VerifyEmail, now, context)?;
    let event = auth.event(AuditKind::Registered, context, now).by(user.id);
    let changes = [
        Change::CreateUser { user: user.clone(), password },
        Change::IssueToken { token, at_most: 1 },
        Change::Enqueue(mail),
        Change::Record(event),
    ];
    match auth.commit(&changes).await {
        Ok(()) => Ok(user),
        Err(CommitError::Rejected(Rejected::EmailTaken)) => Err(refused(auth, None, context).await),
        Err(error) => Err(error.into()),
    }
}

async fn refused(auth: &Auth, user: Option<UserId>, context: &Context) -> RegisterError {
    let event = auth.event(AuditKind::RegistrationRefused, context, auth.now()).about(user);
    match auth.commit(&[Change::Record(event)]).await {
        Ok(()) => RegisterError::EmailTaken,
        Err(error) => error.into(),
    }
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
    /// Too many registrations from this address.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The core could not do its work.
    #[error(transparent)]
    Fault(Fault),
}
fault_into!(RegisterError);
