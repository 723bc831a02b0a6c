//! Codes from authenticator apps (RFC 6238): six digits of HMAC-SHA-1 over time steps of 30 seconds, which is what all apps
//! can do.

use std::fmt;

use aws_lc_rs::constant_time;
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::domain::{Code, FactorId, Sealed, Timestamp, TotpSecret, UserId};
use crate::keys::{KeyRing, SealError};
use crate::port::Entropy;

/// What an authenticator app and we share: 160 random bits (RFC 4226 §4 R6). Doesn't print, is erased when dropped.
pub struct TotpKey(Zeroizing<[u8; TotpKey::LEN]>);

impl TotpKey {
    const LEN: usize = 20;
    /// Seconds of a time step (RFC 6238 §4.1).
    const STEP: u64 = 30;

    /// A fresh secret.
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        entropy.fill(&mut *bytes);
        Self(bytes)
    }

    /// The secret of a record.
    ///
    /// # Errors
    /// [`SealError`] when it was changed, or is another record's or user's.
    pub(crate) fn open(ring: &KeyRing, record: &TotpSecret) -> Result<Self, SealError> {
        let opened = ring.open(&bound_to(&record.id, &record.user), &record.secret)?;
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        if opened.len() != Self::LEN {
            return Err(SealError);
        }
        bytes.copy_from_slice(&opened);
        Ok(Self(bytes))
    }

    /// The secret as a store may keep it.
    pub(crate) fn seal(
        &self,
        ring: &KeyRing,
        id: FactorId,
        user: UserId,
        entropy: &dyn Entropy,
    ) -> Result<Sealed, SealError> {
        ring.seal(&bound_to(&id, &user), &*self.0, entropy)
    }

    /// The time step that `code` is of: the present one, or the one before, for people who type slowly and clocks that are
    /// behind (RFC 6238 §5.2). Whether it was spent is for the caller to find out.
    pub fn step_of(&self, code: &Code, now: Timestamp) -> Option<u64> {
        let totp = self.totp(None, "");
        let present = u64::try_from(now.as_seconds()).ok()? / Self::STEP;
        let is_of = |step: &u64| {
            let expected = Zeroizing::new(totp.generate(step * Self::STEP).to_string());
            constant_time::verify_slices_are_equal(expected.as_bytes(), code.as_bytes()).is_ok()
        };
        [present, present.saturating_sub(1)].into_iter().find(is_of)
    }

    /// The secret in base32, for people who type it in.
    pub fn to_base32(&self) -> String {
        self.totp(None, "").secret().to_base32()
    }

    /// The address that apps take the secret from, mostly as a picture of it: `otpauth://totp/…`.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        // A colon would end the issuer's part of the label.
        let (issuer, account) = (issuer.replace(':', " "), account.replace(':', " "));
        self.totp(Some(&issuer), &account).to_url().unwrap_or_default()
    }

    fn totp(&self, issuer: Option<&str>, account: &str) -> Totp {
        Builder::new()
            .with_secret(totp_rs::Secret::new_stack(*self.0))
            .with_issuer(issuer)
            .with_account_name(account)
            .build_noncompliant()
    }
}

impl fmt::Debug for TotpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpKey(…)")
    }
}

/// A row that is copied into another user's account, or another record, opens nothing.
fn bound_to<'a>(id: &'a FactorId, user: &'a UserId) -> [&'a [u8]; 3] {
    [b"totp", id.as_bytes(), user.as_bytes()]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::adapter::SystemEntropy;
    use crate::keys::Pepper;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(0) + Duration::from_secs(seconds)
    }

    fn code(text: &str) -> Code {
        Code::parse(text).expect("a code")
    }

    /// RFC 6238 appendix B, SHA-1, whose eight digits end in these six.
    const VECTORS: [(u64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    // MF1: the codes of the RFC, in their own step and the one after, in no other.
    #[test]
    fn mf1_codes_of_the_rfc() {
        let key = TotpKey(Zeroizing::new(*b"12345678901234567890"));
        for (seconds, digits) in VECTORS {
            let (step, begin) = (seconds / 30, seconds / 30 * 30);
            for now in [begin, seconds, begin + 29, begin + 30, begin + 59] {
                assert_eq!(key.step_of(&code(digits), at(now)), Some(step), "{digits} at {now}");
            }
            for now in [begin - 1, begin + 60] {
                assert_eq!(key.step_of(&code(digits), at(now)), None, "{digits} at {now}");
            }
        }
    }

    // MF2: 160 bits, and the address that apps read.
    #[test]
    fn mf2_apps_are_told_the_secret() {
        let key = TotpKey(Zeroizing::new(*b"12345678901234567890"));
        assert_eq!(key.to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            key.uri("Acme: Inc", "ann@example.com"),
            "otpauth://totp/Acme%20%20Inc:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme%20%20Inc"
        );
        assert_eq!(format!("{key:?}"), "TotpKey(…)");
    }

    // MF2, SC4: sealed to its record and user.
    #[test]
    fn sc4_a_secret_opens_for_its_own_record_only() {
        let ring = KeyRing::new(&Pepper::new((1..=32).collect::<Vec<u8>>()).expect("a pepper"), &[]);
        let new = || uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        let (id, user) = (FactorId::from(new()), UserId::from(new()));
        let key = TotpKey::new(&SystemEntropy);
        let secret = key.seal(&ring, id, user, &SystemEntropy).expect("to seal");
        let record = TotpSecret { id, user, secret, last_step: None, pending_until: None };
        assert_eq!(*TotpKey::open(&ring, &record).expect("to open").0, *key.0);
        assert!(TotpKey::open(&ring, &TotpSecret { id: FactorId::from(new()), ..record.clone() }).is_err());
        assert!(TotpKey::open(&ring, &TotpSecret { user: UserId::from(new()), ..record }).is_err());
    }
}
