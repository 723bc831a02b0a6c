//! Profiles as they are served: each with the core under its settings, and its cookies.

use std::sync::Arc;

use auth_core::settings::CredentialKind;
use auth_core::{Auth, StartError};

use crate::auth_http::SetupError;
use crate::cookie::Cookies;
use crate::profile::{Delivery, Profile};
use crate::route::Route;

/// A profile as it is served.
pub(crate) struct Mount {
    /// The core, under the profile's settings.
    pub(crate) auth: Arc<Auth>,
    pub(crate) profile: Profile,
    /// Its cookies; `None` where credentials don't travel in cookies.
    pub(crate) cookies: Option<Cookies>,
}

impl Mount {
    fn new(auth: &Auth, profile: Profile) -> Result<Self, SetupError> {
        let mut settings = auth.settings().clone();
        let cookies = || profile.cookies.cookies(&settings.public_url, profile.delivery).map(Some);
        let (credential, cookies) = match profile.delivery {
            Delivery::Body => (CredentialKind::Tokens, Ok(None)),
            Delivery::SessionCookie => (CredentialKind::Cookie, cookies()),
            Delivery::TokenCookies => (CredentialKind::Tokens, cookies()),
        };
        settings.credential = credential;
        settings.existing_address = profile.existing_address;
        settings.second_factor = profile.second_factor.unwrap_or(settings.second_factor);
        if let Some(max) = profile.session_max {
            settings.lifetimes.max = max;
            settings.lifetimes.idle = settings.lifetimes.idle.min(max);
            settings.lifetimes.access = settings.lifetimes.access.min(max);
        }
        match (cookies, auth.with(settings)) {
            (Ok(cookies), Ok(auth)) => Ok(Self { auth, profile, cookies }),
            (Err(mut mistakes), Err(StartError::Settings(others))) => {
                mistakes.extend(others);
                Err(SetupError::Settings(mistakes))
            }
            (Err(mistakes), _) | (_, Err(StartError::Settings(mistakes))) => Err(SetupError::Settings(mistakes)),
            (_, Err(other)) => Err(SetupError::Settings(vec![other.to_string()])),
        }
    }
}

/// All profiles of a process, with their routes.
///
/// # Errors
/// [`SetupError`] when there is none, when one makes no sense, or when two are in each other's way.
pub(crate) fn all(
    auth: &Auth,
    profiles: impl IntoIterator<Item = Profile>,
) -> Result<(Vec<Arc<Mount>>, Vec<Route>), SetupError> {
    let (mut mounts, mut routes) = (Vec::<Arc<Mount>>::new(), Vec::new());
    for profile in profiles {
        let place = mounts.len();
        routes.extend(profile.routes()?.into_iter().map(|route| Route { profile: place, ..route }));
        if let Some(other) = mounts.iter().find(|other| other.profile.overlaps(&profile)) {
            return Err(SetupError::Prefixes(other.profile.prefix.clone(), profile.prefix));
        }
        let mount = Mount::new(auth, profile)?;
        let cookies = mounts.iter().filter_map(|other| other.cookies.as_ref().zip(mount.cookies.as_ref()));
        if let Some(clash) = cookies.into_iter().find_map(|(one, other)| one.contradiction(other)) {
            return Err(SetupError::Cookie(clash.name().to_owned()));
        }
        mounts.push(Arc::new(mount));
    }
    if mounts.is_empty() { Err(SetupError::NoProfile) } else { Ok((mounts, routes)) }
}
