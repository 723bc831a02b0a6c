//! What a host chooses. Every figure has the default of the documentation.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{Role, User};
use crate::port::Limit;

/// What a host chooses.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where clients reach the service; the `iss` of access tokens. Without a trailing slash.
    pub public_url: String,
    /// Where links in mail lead. Without a trailing slash. Never taken from a request (ASVS 6.3.x host header attacks).
    pub frontend_url: String,
    /// The `aud` of access tokens.
    pub audience: String,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// How often things may happen.
    pub limits: Limits,
    /// What the refresh token just replaced is answered with.
    pub reuse: Reuse,
    /// What an access token is checked against.
    pub access_check: AccessCheck,
    /// Whether users may sign in whose address isn't proved.
    pub unverified_sign_in: UnverifiedSignIn,
    /// What a session is used with.
    pub credential: CredentialKind,
    /// What registering an address that has an account is answered with.
    pub existing_address: ExistingAddress,
    /// Whether a sign-in takes a second step.
    pub second_factor: SecondFactor,
    /// Roles whose holders have to take a second step, whatever [`second_factor`](Self::second_factor) says: those without a
    /// factor of their own by a mailed code.
    pub second_factor_roles: Vec<Role>,
    /// What authenticator apps show beside the account: the host of `public_url`, unless the host has a better name.
    pub totp_issuer: String,
    /// What holders of roles may do, beyond what Portcullis itself asks `admin` for.
    pub permissions: Permissions,
}

impl Settings {
    /// The defaults for a service at `public_url`, whose pages are there too.
    pub fn new(public_url: impl Into<String>) -> Self {
        let public_url = public_url.into().trim_end_matches('/').to_owned();
        let host = url::Url::parse(&public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
        Self {
            frontend_url: public_url.clone(),
            audience: public_url.clone(),
            totp_issuer: host.unwrap_or_else(|| public_url.replace(':', " ")),
            public_url,
            lifetimes: Lifetimes::default(),
            limits: Limits::default(),
            reuse: Reuse::Refuse,
            access_check: AccessCheck::Session,
            unverified_sign_in: UnverifiedSignIn::Allow,
            credential: CredentialKind::Tokens,
            existing_address: ExistingAddress::Conflict,
            second_factor: SecondFactor::Optional,
            second_factor_roles: Vec::new(),
            permissions: Permissions::default(),
        }
    }
}

/// How long things live.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Lifetimes {
    /// Access tokens: 15 minutes.
    pub access: Duration,
    /// Refresh tokens: 7 days, anew at each rotation.
    pub refresh: Duration,
    /// Sessions that nobody uses: 7 days (ASVS 7.3.1).
    pub idle: Duration,
    /// Sessions: 30 days (ASVS 7.3.2). Nothing extends it.
    pub max: Duration,
    /// How long the refresh token just replaced is merely refused and not taken for stolen: 10 s.
    pub reuse_leeway: Duration,
}

impl Lifetimes {
    /// Everything that contradicts itself, named at once.
    ///
    /// # Errors
    /// A sentence for each mistake.
    pub fn check(&self) -> Result<(), Vec<String>> {
        let mut mistakes = Vec::new();
        let mut demand = |holds: bool, mistake: &str| {
            if !holds {
                mistakes.push(mistake.to_owned());
            }
        };
        demand(!self.access.is_zero(), "the access token's lifetime is zero");
        demand(!self.refresh.is_zero(), "the refresh token's lifetime is zero");
        demand(!self.idle.is_zero(), "the session's idle time is zero");
        demand(self.access <= self.max, "an access token lives longer than its session may");
        demand(self.idle <= self.max, "the session's idle time is longer than its absolute limit");
        demand(self.reuse_leeway < self.refresh, "the reuse leeway is no shorter than the refresh token's lifetime");
        demand(self.reuse_leeway <= minutes(5), "the reuse leeway is over five minutes");
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
    }
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            access: minutes(15),
            refresh: days(7),
            idle: days(7),
            max: days(30),
            reuse_leeway: Duration::from_secs(10),
        }
    }
}

/// How often things may happen, beside what a code's attempts and the hashing queue bound anyway.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// Any operation, per address: 600 a minute.
    pub request_address: Limit,
    /// Failed sign-ins per account: 10 in 15 minutes (ASVS 6.3.1).
    pub sign_in_account: Limit,
    /// Failed sign-ins per account from a device that signed in before: 10 in 15 minutes, counted apart (ASVS 6.1.1).
    pub sign_in_device: Limit,
    /// Failed sign-ins per address: 100 in 15 minutes.
    pub sign_in_address: Limit,
    /// Registrations per address: 20 an hour.
    pub register_address: Limit,
    /// Mails asked for per account and operation: 5 an hour.
    pub mail_account: Limit,
    /// Mails asked for per address and operation: 30 an hour.
    pub mail_address: Limit,
    /// Codes mailed for second steps, per account: 20 an hour. A sign-in that is completed doesn't count.
    pub second_step_mail_account: Limit,
    /// Wrong links and codes per address: 100 in 15 minutes.
    pub proof_address: Limit,
    /// Failures per account, for each other operation that checks a credential: 20 an hour.
    pub credential_account: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        let limit = |uses, window| Limit { uses, window };
        Self {
            request_address: limit(600, minutes(1)),
            sign_in_account: limit(10, minutes(15)),
            sign_in_device: limit(10, minutes(15)),
            sign_in_address: limit(100, minutes(15)),
            register_address: limit(20, hours(1)),
            mail_account: limit(5, hours(1)),
            mail_address: limit(30, hours(1)),
            second_step_mail_account: limit(20, hours(1)),
            proof_address: limit(100, minutes(15)),
            credential_account: limit(20, hours(1)),
        }
    }
}

/// What the refresh token just replaced is answered with, inside the leeway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// A refusal.
    Refuse,
    /// The same successor again, for clients that lose replies.
    Resume,
}

/// What an access token is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessCheck {
    /// Its session, in one read: revocation counts at once.
    Session,
    /// Nothing but its signature and claims: revocation counts when the token expires.
    Stateless,
}

/// Whether users may sign in whose address isn't proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnverifiedSignIn {
    /// They may.
    Allow,
    /// They may not, and are told so after a correct password.
    Refuse,
}

/// What a session is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// An access token, and a refresh token for the next one.
    Tokens,
    /// A secret, which a browser keeps in a cookie.
    Cookie,
}

/// What registering an address that has an account is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingAddress {
    /// That it has one. The user exists from the registration on, and is asked to prove the address.
    Conflict,
    /// The same as for any other, so that nobody learns who has an account (ASVS 6.3.8): the user comes into being once a
    /// mail is confirmed, and the owner of an account is told by mail.
    Conceal,
}

/// Whether a sign-in takes a second step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// Nobody can switch a factor on. What is on already is still asked for: a setting must not open accounts.
    Off,
    /// Where the user has switched one on.
    Optional,
    /// For everybody: a mailed code, or a stronger factor that the user has switched on.
    EmailRequired,
}

/// What holders of roles may do: each permission is a named set of roles.
///
/// ```
/// # use auth_core::{domain::Role, settings::Permissions};
/// let mut permissions = Permissions::default();
/// permissions.allow("posts.write", [Role::parse("editor").unwrap(), Role::admin()]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(BTreeMap<String, Vec<Role>>);

impl Permissions {
    /// Lets the holders of each of `roles` do what `permission` stands for, beside those who may already.
    pub fn allow(&mut self, permission: impl Into<String>, roles: impl IntoIterator<Item = Role>) {
        self.0.entry(permission.into()).or_default().extend(roles);
    }

    /// Whether one of `user`'s roles is among those of `permission`. One that nobody named is nobody's.
    pub fn permit(&self, user: &User, permission: &str) -> bool {
        self.0.get(permission).is_some_and(|roles| roles.iter().any(|role| user.roles.contains(role)))
    }

    /// Whether anybody named it: a guard for one that isn't is probably misspelt.
    pub fn knows(&self, permission: &str) -> bool {
        self.0.contains_key(permission)
    }
}

pub(crate) const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

pub(crate) const fn hours(n: u64) -> Duration {
    minutes(n * 60)
}

pub(crate) const fn days(n: u64) -> Duration {
    hours(n * 24)
}
