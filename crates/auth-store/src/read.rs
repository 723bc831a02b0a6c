//! Values as columns hold them.

use auth_core::domain::{
    Attributes, Credential, DeviceId, Digest, Epoch, Factors, FirstStep, Mac, Methods, RefreshState, Role, Timestamp,
};
use auth_core::port::StoreError;

/// A stored value that this version can't read: written by a later one, or damaged.
#[derive(Debug, thiserror::Error)]
#[error("the stored {0} can't be read")]
pub struct Unreadable(pub &'static str);

impl Unreadable {
    /// As the error of `store`.
    pub fn in_store(self, store: &'static str) -> StoreError {
        StoreError::Failed { store, source: self.into() }
    }
}

/// A number that is never below zero.
///
/// # Errors
/// [`Unreadable`] where it is, or too large.
pub fn number(value: i64, what: &'static str) -> Result<u32, Unreadable> {
    u32::try_from(value).map_err(|_| Unreadable(what))
}

/// How many there are.
///
/// # Errors
/// [`Unreadable`] where it is below zero.
pub fn count(value: i64) -> Result<u64, Unreadable> {
    u64::try_from(value).map_err(|_| Unreadable("count"))
}

/// Bytes of a fixed length.
///
/// # Errors
/// [`Unreadable`] where it is another.
pub fn bytes<const N: usize>(value: &[u8], what: &'static str) -> Result<[u8; N], Unreadable> {
    value.try_into().map_err(|_| Unreadable(what))
}

/// A MAC and the key that it was made with.
///
/// # Errors
/// [`Unreadable`] where it is none.
pub fn mac(value: &[u8]) -> Result<Mac, Unreadable> {
    Mac::from_bytes(value).ok_or(Unreadable("MAC"))
}

/// The application's own fields.
///
/// # Errors
/// [`Unreadable`] where it is no JSON object.
pub fn attributes(value: &str) -> Result<Attributes, Unreadable> {
    Attributes::from_stored(value).map_err(|_| Unreadable("attributes"))
}

/// The name of a role.
///
/// # Errors
/// [`Unreadable`] where no role can have it.
pub fn role(value: &str) -> Result<Role, Unreadable> {
    Role::parse(value).ok_or(Unreadable("role"))
}

/// The second factors that are on.
///
/// # Errors
/// [`Unreadable`] where one isn't known: whoever passed it over would sign its user in without it.
pub fn factors(value: &str) -> Result<Factors, Unreadable> {
    Factors::from_text(value).ok_or(Unreadable("second factors"))
}

/// A time step of an authenticator app.
///
/// # Errors
/// [`Unreadable`] where it is below zero.
pub fn time_step(value: i64) -> Result<u64, Unreadable> {
    u64::try_from(value).map_err(|_| Unreadable("time step"))
}

/// How far the sign-in has come that a challenge carries on; `None` for other tokens.
///
/// # Errors
/// [`Unreadable`] where only a part of it is there.
pub fn first_step(
    epoch: Option<i64>,
    device: Option<DeviceId>,
    methods: Option<&str>,
) -> Result<Option<FirstStep>, Unreadable> {
    match (epoch, device, methods) {
        (Some(epoch), device, Some(methods)) => {
            let epoch = Epoch::from_number(number(epoch, "epoch")?);
            Ok(Some(FirstStep { epoch, device, methods: Methods::from_text(methods) }))
        }
        (None, None, None) => Ok(None),
        _ => Err(Unreadable("first step")),
    }
}

/// How a session's client proves that the session is its own: with refresh tokens, or with the secret of a cookie.
///
/// # Errors
/// [`Unreadable`] where it would be both, or neither.
pub fn credential(
    salt: Option<[u8; 16]>,
    counter: Option<i64>,
    rotated_at: Option<Timestamp>,
    secret: Option<[u8; 32]>,
) -> Result<Credential, Unreadable> {
    match (salt, counter.map(u32::try_from), rotated_at, secret) {
        (Some(salt), Some(Ok(counter)), Some(rotated_at), None) => {
            Ok(Credential::Tokens(RefreshState { salt, counter, rotated_at }))
        }
        (None, None, None, Some(secret)) => Ok(Credential::Cookie(Digest::from_bytes(secret))),
        _ => Err(Unreadable("credential")),
    }
}
