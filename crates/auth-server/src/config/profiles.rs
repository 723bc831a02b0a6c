//! Which routes there are, and how credentials travel.

use std::time::Duration;

use auth_core::settings::{ExistingAddress, SecondFactor};
use auth_http::{CookieSettings, Delivery, Profile};

use super::reader::Reader;

/// What the profiles are made from, by name.
const PROFILES: &[(&str, Make)] = &[
    ("tokens", Profile::tokens),
    ("sessions", Profile::sessions),
    ("service", Profile::service),
    ("two-step", Profile::two_step),
];

type Make = fn() -> Profile;

impl Reader {
    /// The profiles that `AUTH_PROFILE` lists, with what is set for all of them. `public_url`: where clients reach the
    /// server.
    pub(super) fn profiles(&mut self, public_url: &str) -> Vec<Profile> {
        let mut profiles = self.listed();
        let existing = self.chosen(
            "AUTH_REGISTER_EXISTING",
            &[("conflict", ExistingAddress::Conflict), ("conceal", ExistingAddress::Conceal)],
        );
        let second_factor = self.chosen(
            "AUTH_MFA",
            &[
                ("off", SecondFactor::Off),
                ("optional", SecondFactor::Optional),
                ("email-required", SecondFactor::EmailRequired),
            ],
        );
        let (cookies, session_max) = (self.cookies(), self.cookie_session_max());
        for profile in &mut profiles {
            profile.existing_address = existing.unwrap_or(profile.existing_address);
            profile.second_factor = second_factor.or(profile.second_factor);
            if profile.delivery != Delivery::Body {
                profile.cookies.domain.clone_from(&cookies.domain);
                profile.session_max = session_max.unwrap_or(profile.session_max);
            }
            // Other profiles fix the names of theirs.
            if profile.delivery == Delivery::SessionCookie {
                profile.cookies.session.clone_from(&cookies.session);
                profile.cookies.csrf.clone_from(&cookies.csrf);
            }
        }
        let mut mistakes: Vec<String> = Vec::new();
        for profile in profiles.iter().filter(|profile| profile.delivery != Delivery::Body) {
            mistakes.extend(profile.cookies.check(public_url, profile.delivery).err().unwrap_or_default());
        }
        // What two profiles have alike is one mistake.
        mistakes.dedup();
        mistakes.into_iter().for_each(|mistake| self.mistake(mistake));
        let is_cookies = |profile: &Profile| profile.delivery != Delivery::Body;
        self.expect_use(&profiles, &["COOKIE_DOMAIN", "SESSION_TTL_DAYS"], is_cookies, "cookies");
        let is_secret = |profile: &Profile| profile.delivery == Delivery::SessionCookie;
        self.expect_use(&profiles, &["SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"], is_secret, "a session cookie");
        profiles
    }

    /// What is set and of no use is a mistake: somebody relies on it.
    fn expect_use(
        &mut self,
        profiles: &[Profile],
        names: &[&'static str],
        uses: impl Fn(&Profile) -> bool,
        what: &str,
    ) {
        let given: Vec<&str> = names.iter().copied().filter(|name| self.source.was_given(name)).collect();
        if !given.is_empty() && !profiles.is_empty() && !profiles.iter().any(uses) {
            self.mistake(format!("{}: no profile of AUTH_PROFILE has {what}", given.join(", ")));
        }
    }

    /// `NAME`, or `NAME@/prefix`, separated by commas.
    fn listed(&mut self) -> Vec<Profile> {
        const NAME: &str = "AUTH_PROFILE";
        let list = self.source.take(NAME).unwrap_or_else(|| "tokens".to_owned());
        let mut profiles = Vec::<Profile>::new();
        for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let (name, prefix) = text.split_once('@').map_or((text, None), |(name, prefix)| (name, Some(prefix)));
            let Some((_, make)) = PROFILES.iter().find(|(other, _)| *other == name) else {
                let names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
                self.mistake(format!("{NAME}: this build has no {name:?}, only {}", names.join(", ")));
                continue;
            };
            let mut profile = prefix.map_or_else(make, |prefix| make().at(prefix));
            if let Err(error) = profile.check() {
                self.mistake(format!("{NAME}: {error}"));
            } else if let Some(other) = profiles.iter().find(|other| other.overlaps(&profile)) {
                let (one, other) = (&other.prefix, &profile.prefix);
                self.mistake(format!("{NAME}: {one} and {other} are in each other's way; move one: {name}@/prefix"));
            }
            if profiles.iter().any(|other| other.name == profile.name) {
                profile.name = format!("{name}-{}", profiles.len() + 1);
            }
            profiles.push(profile);
        }
        if profiles.is_empty() && self.mistakes.iter().all(|mistake| !mistake.starts_with(NAME)) {
            self.mistake(format!("{NAME} lists no profile"));
        }
        profiles
    }

    fn cookies(&mut self) -> CookieSettings {
        let mut cookies = CookieSettings::default();
        cookies.session = self.source.take("SESSION_COOKIE_NAME");
        cookies.csrf = self.source.take("CSRF_COOKIE_NAME");
        cookies.domain = self.source.take("COOKIE_DOMAIN");
        cookies
    }

    /// How long cookie sessions may live at most, where that is set; inside, `None`: as long as others.
    fn cookie_session_max(&mut self) -> Option<Option<Duration>> {
        const NAME: &str = "SESSION_TTL_DAYS";
        /// Browsers keep no cookie longer (RFC 6265bis §5.5).
        const MOST: u32 = 400;
        match self.parsed::<u32>(NAME, "a number of days") {
            Some(days @ 1..=MOST) => Some(Some(Duration::from_secs(u64::from(days) * 86_400))),
            Some(_) => {
                self.mistake(format!("{NAME} must be 1 to {MOST}"));
                None
            }
            None if self.source.was_given("AUTH_SESSION_MAX") => Some(None),
            None => None,
        }
    }
}
