//! Second factors: what proves who one is beside a password.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{DeviceId, Epoch, FactorId, Method, Methods, Sealed, Timestamp, UserId};
use crate::port::Entropy;

/// A second factor that can be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Factor {
    /// A code from an authenticator app (RFC 6238).
    Totp,
    /// A code by mail.
    Email,
}

impl Factor {
    const ALL: [Self; 2] = [Self::Totp, Self::Email];

    /// The word for stores and the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Email => "email",
        }
    }
}

/// The second factors that are on for a user: a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Factors(Vec<Factor>);

impl Factors {
    /// The set of these factors.
    pub fn of(factors: &[Factor]) -> Self {
        let mut set = factors.to_vec();
        set.sort_unstable();
        set.dedup();
        Self(set)
    }

    /// Whether none is on.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether that one is on.
    pub fn contains(&self, factor: Factor) -> bool {
        self.0.contains(&factor)
    }

    /// The factors, the stronger one first.
    pub fn iter(&self) -> impl Iterator<Item = Factor> {
        self.0.iter().copied()
    }

    /// These and that one.
    #[must_use]
    pub fn with(&self, factor: Factor) -> Self {
        Self::of(&[&self.0[..], &[factor]].concat())
    }

    /// These without that one.
    #[must_use]
    pub fn without(&self, factor: Factor) -> Self {
        Self(self.iter().filter(|other| *other != factor).collect())
    }

    /// For a store to keep: the names, separated by blanks.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|factor| factor.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// From what a store kept; `None` for a name that isn't known: a factor that a later version switched on must not be
    /// passed over.
    pub fn from_text(text: &str) -> Option<Self> {
        let known = |name: &str| Factor::ALL.into_iter().find(|factor| factor.as_str() == name);
        let factors: Option<Vec<_>> = text.split(' ').filter(|name| !name.is_empty()).map(known).collect();
        factors.map(|factors| Self::of(&factors))
    }
}

/// How a second step may be taken: by a factor that is on, or by a recovery code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecondStep {
    /// By a code from an authenticator app.
    Totp,
    /// By a mailed code.
    Email,
    /// By a recovery code.
    Recovery,
}

impl SecondStep {
    /// The word for the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Email => "email",
            Self::Recovery => "recovery",
        }
    }

    /// Reads that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Totp, Self::Email, Self::Recovery].into_iter().find(|step| step.as_str() == text)
    }

    /// What it adds to how a user proved who they are.
    pub const fn method(self) -> Method {
        match self {
            Self::Totp => Method::Totp,
            Self::Email => Method::EmailCode,
            Self::Recovery => Method::RecoveryCode,
        }
    }
}

impl From<Factor> for SecondStep {
    fn from(factor: Factor) -> Self {
        match factor {
            Factor::Totp => Self::Totp,
            Factor::Email => Self::Email,
        }
    }
}

/// What an authenticator app and we share, as a store keeps it.
///
/// A user has at most one that is on, and at most one that is enrolled and not yet confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpSecret {
    /// Names the record.
    pub id: FactorId,
    /// Whose it is.
    pub user: UserId,
    /// The secret, sealed to record and user.
    pub secret: Sealed,
    /// The last time step that was spent, of a secret that is on; `None` until it is confirmed.
    pub last_step: Option<u64>,
    /// An enrolment that isn't confirmed is dead from here on; `None` once it is.
    pub pending_until: Option<Timestamp>,
}

/// How far a sign-in has come whose second step is still to be taken. Bound to the first one: the epoch in which the password
/// was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstStep {
    /// The user's epoch then: a change of password or a sign-out everywhere kills the challenge.
    pub epoch: Epoch,
    /// The device, if it has signed in to the account before.
    pub device: Option<DeviceId>,
    /// How the user proved who they are so far.
    pub methods: Methods,
}

/// A one-time code to keep on paper, for when nothing else is at hand: 80 random bits (ASVS 6.5.2 asks for 20 and a keyed or
/// slow hash; stores see a [`Mac`](super::Mac)). Doesn't print, is erased when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; Self::LEN]);

impl RecoveryCode {
    /// How many a user gets.
    pub const COUNT: usize = 10;
    const LEN: usize = 16;
    /// Crockford's: no letter that is mistaken for a digit, and none that spells words by accident.
    const ALPHABET: &'static [u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

    /// A fresh code.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; Self::LEN];
        entropy.fill(&mut bytes);
        // 32 divides 256: no character is favoured.
        Self(bytes.map(|byte| Self::ALPHABET[usize::from(byte & 31)]))
    }

    /// Reads a code as people type it: in either case, with or without its hyphens and blanks, `o` for `0`, `i` and `l` for
    /// `1`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = [0; Self::LEN];
        let mut length = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
            let byte = match byte.to_ascii_lowercase() {
                b'o' => b'0',
                b'i' | b'l' => b'1',
                byte => byte,
            };
            if !Self::ALPHABET.contains(&byte) {
                return None;
            }
            *code.get_mut(length)? = byte;
            length += 1;
        }
        (length == Self::LEN).then_some(Self(code))
    }

    /// The code in four groups, for the one reply that carries it.
    pub fn expose(&self) -> String {
        let groups: Vec<&str> = self.0.chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
        groups.join("-")
    }

    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::SystemEntropy;

    // MF5: at least 64 bits, in one spelling and in those that people make of it.
    #[test]
    fn mf5_recovery_codes_are_read_as_people_type_them() {
        let code = RecoveryCode::new(&SystemEntropy);
        let text = code.expose();
        assert_eq!((text.len(), text.matches('-').count()), (19, 3));
        for typed in
            [text.clone(), text.to_uppercase(), text.replace('-', ""), text.replace('-', " "), format!(" {text} ")]
        {
            assert_eq!(RecoveryCode::parse(&typed).unwrap().expose(), text, "{typed}");
        }
        assert_eq!(RecoveryCode::parse("OIL0-OIL0-OIL0-OIL0").unwrap().expose(), "0110-0110-0110-0110");
        for text in
            ["", "0123", "0123-4567-89ab-cde", "0123-4567-89ab-cdef0", "u123-4567-89ab-cdef", "0123-4567-89ab-cdeé"]
        {
            assert!(RecoveryCode::parse(text).is_none(), "{text}");
        }
    }

    // MF5: all 32 characters come equally often. Chi-square with 31 degrees of freedom exceeds 100 once in a billion runs.
    #[test]
    fn mf5_recovery_codes_are_uniform() {
        let mut counts = std::collections::BTreeMap::<u8, u32>::new();
        for _ in 0..10_000 {
            RecoveryCode::new(&SystemEntropy).0.iter().for_each(|&byte| *counts.entry(byte).or_default() += 1);
        }
        let chi_square: f64 = counts.values().map(|&n| (f64::from(n) - 5_000.0).powi(2) / 5_000.0).sum();
        assert!(counts.len() == 32 && chi_square < 100.0, "{chi_square}");
    }

    #[test]
    fn sets_of_factors_are_kept_as_text() {
        let both = Factors::of(&[Factor::Email, Factor::Totp, Factor::Email]);
        assert_eq!((both.to_text().as_str(), Factors::from_text("totp email")), ("totp email", Some(both.clone())));
        assert_eq!(Factors::from_text(""), Some(Factors::default()));
        assert_eq!(Factors::from_text("email webauthn"), None);
        assert_eq!(
            (both.without(Factor::Totp).to_text(), Factors::default().with(Factor::Email)),
            ("email".into(), both.without(Factor::Totp))
        );
    }
}
