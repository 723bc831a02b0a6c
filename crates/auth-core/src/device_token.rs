//! Device tokens: "this client signed in to this account before".

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::{DeviceId, Mac, Timestamp, User};
use crate::keys::{KeyRing, MacUse};

/// Says that a client signed in to an account before, and gives it a budget of failures of its own, so that strangers
/// can't lock the owner out (ASVS 6.1.1). Authenticates nothing.
///
/// - Device id, time of issue, and a MAC over both, the user and their epoch. Valid for a year, or until the epoch
///   advances: whoever once knew the password must not keep a stock of budgets from before it was changed.
/// - A device keeps its id: refreshing a session's credentials renews the token and buys no fresh budget.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DeviceToken(String);

/// How long a device is remembered.
pub const DEVICE_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);

impl DeviceToken {
    /// A token for a device that has signed in to `user`'s account.
    pub(crate) fn issue(ring: &KeyRing, user: &User, device: DeviceId, now: Timestamp) -> Self {
        let issued = now.as_seconds().to_be_bytes();
        let mut bytes = Vec::with_capacity(LEN);
        bytes.extend_from_slice(device.as_bytes());
        bytes.extend_from_slice(&issued);
        let epoch = user.epoch.number().to_be_bytes();
        let mac = ring.mac(MacUse::Device, &[user.id.as_bytes(), &epoch, device.as_bytes(), &issued]);
        bytes.extend_from_slice(&mac.to_bytes());
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The device that `text` proves to have signed in to `user`'s account; `None` for anything else, a token of another
    /// user or over a year old included.
    pub(crate) fn recognise(ring: &KeyRing, text: &str, user: &User, now: Timestamp) -> Option<DeviceId> {
        // Bounded before decoding: the text comes from the client.
        let bytes = if text.len() <= 128 { URL_SAFE_NO_PAD.decode(text).ok()? } else { return None };
        let (device, rest) = bytes.split_first_chunk::<16>()?;
        let (issued, mac) = rest.split_first_chunk::<8>()?;
        let issued_at = Timestamp::from_seconds(i64::from_be_bytes(*issued));
        let epoch = user.epoch.number().to_be_bytes();
        let parts: [&[u8]; 4] = [user.id.as_bytes(), &epoch, device, issued];
        let is_genuine = ring.verify(MacUse::Device, &parts, &Mac::from_bytes(mac)?);
        (is_genuine && now < issued_at + DEVICE_LIFETIME).then_some(Uuid::from_bytes(*device).into())
    }

    /// The token as text, for the reply that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceToken(…)")
    }
}

const LEN: usize = 16 + 8 + Mac::LEN;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::SystemEntropy;
    use crate::domain::{Attributes, Email, Epoch, Profile, Role, Status, UserId};
    use crate::keys::Pepper;

    // LT2: a device is recognised for its own account, for a year, until the epoch advances.
    #[test]
    fn lt2_device_belongs_to_one_account() {
        let ring = KeyRing::new(&Pepper::new((0..32).collect::<Vec<u8>>()).unwrap(), &[]);
        let now = Timestamp::from_seconds(1_700_000_000);
        let user = || User {
            id: UserId::new(now, &SystemEntropy),
            email: Email::parse("ann@example.com").unwrap(),
            email_verified_at: None,
            profile: Profile::default(),
            status: Status::Active,
            epoch: Epoch::FIRST,
            roles: vec![Role::user()],
            roles_version: 0,
            factors: Default::default(),
            attributes: Attributes::default(),
            created_at: now,
        };
        let (ann, bob) = (user(), user());
        let device = DeviceId::new(now, &SystemEntropy);
        let token = DeviceToken::issue(&ring, &ann, device, now);
        let recognise = |text: &str, user: &User, at| DeviceToken::recognise(&ring, text, user, at);

        assert_eq!(recognise(token.expose(), &ann, now), Some(device));
        assert_eq!(recognise(token.expose(), &bob, now), None);
        assert_eq!(recognise(token.expose(), &ann, now + DEVICE_LIFETIME), None);
        assert_eq!(recognise(&token.expose()[1..], &ann, now), None);
        assert_eq!(recognise("", &ann, now), None);
        let after_reset = User { epoch: ann.epoch.next(), ..ann };
        assert_eq!(recognise(token.expose(), &after_reset, now), None);
    }
}
