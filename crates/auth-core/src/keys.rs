//! The key ring: everything secret that the core needs, derived from one versioned pepper.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::adapter::PasswordKeys;
use crate::domain::{KeyId, Mac, PepperCheck, Sealed};
use crate::port::Entropy;

/// The current pepper's subkeys, and those of the peppers before it.
///
/// - Each use has a subkey of its own (HKDF-SHA-256, RFC 5869), so a value made for one purpose proves nothing for another.
/// - Each value names the pepper it was made under. The current one makes; all of them check and open.
/// - What a MAC or seal is about is given as parts, each preceded by its length, so that `["ab", "c"]` and `["a", "bc"]`
///   are different.
#[derive(Debug)]
pub struct KeyRing {
    current: Subkeys,
    old: Vec<Subkeys>,
}

/// A secret kept apart from the store, from which all keys are derived. Doesn't print, is erased when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pepper(Vec<u8>);

/// The pepper can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPepper {
    /// Fewer than 32 bytes.
    #[error("a pepper needs at least 32 bytes")]
    TooShort,
    /// One byte or a short pattern over and over.
    #[error("the pepper is not random")]
    NotRandom,
}

impl Pepper {
    /// Takes at least 32 bytes of at least 8 different values.
    ///
    /// # Errors
    /// [`InvalidPepper`] when they are too few or evidently not random.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, InvalidPepper> {
        let pepper = Self(bytes.into());
        let mut seen = [false; 256];
        pepper.0.iter().for_each(|&byte| seen[usize::from(byte)] = true);
        if pepper.0.len() < 32 {
            Err(InvalidPepper::TooShort)
        } else if seen.iter().filter(|&&seen| seen).count() < 8 {
            Err(InvalidPepper::NotRandom)
        } else {
            Ok(pepper)
        }
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}

/// What a MAC is for. Each has a subkey of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacUse {
    /// Mailed codes.
    Code,
    /// Refresh tokens.
    Refresh,
    /// Device tokens.
    Device,
    /// Tokens that show a request to come from our own page.
    Csrf,
    /// Fingerprints of requests, and throttle keys that are about an address.
    Fingerprint,
    /// Recovery codes.
    Recovery,
    /// The constant that shows whether a pepper belongs to a store.
    Check,
}

impl KeyRing {
    /// A ring that makes with `current`, and checks with it and each of `old`.
    pub fn new(current: &Pepper, old: &[Pepper]) -> Self {
        Self { current: Subkeys::derive(current), old: old.iter().map(Subkeys::derive).collect() }
    }

    /// The current pepper's id.
    pub const fn current(&self) -> KeyId {
        self.current.id
    }

    /// The MAC of `parts` under the current pepper.
    pub fn mac(&self, usage: MacUse, parts: &[&[u8]]) -> Mac {
        Mac::new(self.current.id, self.current.tag(usage, parts))
    }

    /// Whether `mac` is of `parts`, under whichever pepper it names. Constant time.
    pub fn verify(&self, usage: MacUse, parts: &[&[u8]], mac: &Mac) -> bool {
        self.find(mac.key()).is_some_and(|keys| Mac::new(keys.id, keys.tag(usage, parts)).matches(mac))
    }

    /// What a store keeps to know the current pepper by.
    pub(crate) fn check(&self) -> PepperCheck {
        PepperCheck { key: self.current.id, mac: self.mac(MacUse::Check, &[CHECKED]) }
    }

    /// Whether `check` was made under one of the ring's peppers. Constant time.
    pub fn made(&self, check: &PepperCheck) -> bool {
        check.key == check.mac.key() && self.verify(MacUse::Check, &[CHECKED], &check.mac)
    }

    /// Encrypts `plain` so that it opens for the same `bound_to` only: AES-256-GCM-SIV (RFC 8452), which forgives a
    /// repeated nonce.
    pub fn seal(&self, bound_to: &[&[u8]], plain: &[u8], entropy: &dyn Entropy) -> Result<Sealed, SealError> {
        let mut nonce = [0; 12];
        entropy.fill(&mut nonce);
        // Encrypted in place at the end of the header, so that no copy of the plain text stays behind.
        let mut bytes = Vec::with_capacity(HEADER + plain.len() + 16);
        bytes.extend_from_slice(self.current.id.as_bytes());
        bytes.extend_from_slice(&nonce);
        let mut cipher = Zeroizing::new(plain.to_vec());
        let tag = self
            .current
            .sealing()?
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(framed(bound_to)), &mut cipher)
            .map_err(|_| SealError)?;
        bytes.extend_from_slice(&cipher);
        bytes.extend_from_slice(tag.as_ref());
        Ok(Sealed::from_bytes(bytes))
    }

    /// Decrypts what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// [`SealError`] when it was changed, is bound to something else, or its pepper isn't in the ring.
    pub fn open(&self, bound_to: &[&[u8]], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (header, cipher) = sealed.as_bytes().split_at_checked(HEADER).ok_or(SealError)?;
        let keys = KeyId::from_bytes(&header[..8]).and_then(|key| self.find(key)).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(&header[8..]).map_err(|_| SealError)?;
        let mut bytes = Zeroizing::new(cipher.to_vec());
        let length =
            keys.sealing()?.open_in_place(nonce, Aad::from(framed(bound_to)), &mut bytes).map_err(|_| SealError)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// The subkeys that password hashes are keyed with.
    pub fn password_keys(&self) -> PasswordKeys {
        let key = |keys: &Subkeys| (keys.id, keys.password.clone());
        PasswordKeys { current: key(&self.current), old: self.old.iter().map(key).collect() }
    }

    fn find(&self, key: KeyId) -> Option<&Subkeys> {
        std::iter::once(&self.current).chain(&self.old).find(|keys| keys.id == key)
    }
}

/// A value could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value was changed, is bound to something else, or its pepper is not configured")]
pub struct SealError;

const HEADER: usize = 8 + 12;
/// What the MAC of a pepper check is over.
const CHECKED: &[u8] = b"this store belongs to this pepper";

/// The subkeys of one pepper.
struct Subkeys {
    id: KeyId,
    password: Zeroizing<[u8; 32]>,
    seal: Zeroizing<[u8; 32]>,
    code: hmac::Key,
    refresh: hmac::Key,
    device: hmac::Key,
    csrf: hmac::Key,
    fingerprint: hmac::Key,
    recovery: hmac::Key,
    check: hmac::Key,
}

impl Subkeys {
    fn derive(pepper: &Pepper) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"portcullis").extract(&pepper.0);
        let subkey = |label: &str| -> Zeroizing<[u8; 32]> {
            let mut key = Zeroizing::new([0; 32]);
            let info = [label.as_bytes()];
            // Expanding 32 bytes from SHA-256 can't fail: the limit is 255 × 32 (RFC 5869 §2.3).
            if let Ok(output) = root.expand(&info, hkdf::HKDF_SHA256) {
                let _ = output.fill(&mut *key);
            }
            key
        };
        let mac = |label| hmac::Key::new(hmac::HMAC_SHA256, &*subkey(label));
        let id = subkey("id");
        Self {
            id: KeyId::from_fingerprint([id[0], id[1], id[2], id[3]]),
            password: subkey("password"),
            seal: subkey("seal"),
            code: mac("code"),
            refresh: mac("refresh"),
            device: mac("device"),
            csrf: mac("csrf"),
            fingerprint: mac("fingerprint"),
            recovery: mac("recovery"),
            check: mac("check"),
        }
    }

    fn tag(&self, usage: MacUse, parts: &[&[u8]]) -> [u8; 32] {
        let key = match usage {
            MacUse::Code => &self.code,
            MacUse::Refresh => &self.refresh,
            MacUse::Device => &self.device,
            MacUse::Csrf => &self.csrf,
            MacUse::Fingerprint => &self.fingerprint,
            MacUse::Recovery => &self.recovery,
            MacUse::Check => &self.check,
        };
        let mut context = hmac::Context::with_key(key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    fn sealing(&self) -> Result<LessSafeKey, SealError> {
        UnboundKey::new(&AES_256_GCM_SIV, &*self.seal).map(LessSafeKey::new).map_err(|_| SealError)
    }
}

impl fmt::Debug for Subkeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subkeys").field("id", &self.id).finish_non_exhaustive()
    }
}

fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::SystemEntropy;

    fn pepper(seed: u8) -> Pepper {
        Pepper::new((0..32).map(|i| seed.wrapping_add(i)).collect::<Vec<u8>>()).unwrap()
    }

    // SC4: a sealed value opens for its row, recipient and purpose only.
    #[test]
    fn sc4_sealed_values_are_bound() {
        let ring = KeyRing::new(&pepper(1), &[]);
        let sealed = ring.seal(&[b"mail", b"row 1", b"ann@example.com"], b"123456", &SystemEntropy).unwrap();

        assert_eq!(*ring.open(&[b"mail", b"row 1", b"ann@example.com"], &sealed).unwrap(), b"123456");
        for other in [
            [&b"mail"[..], b"row 2", b"ann@example.com"],
            [b"mail", b"row 1", b"eve@example.com"],
            [b"key", b"row 1", b"ann@example.com"],
            [b"mailr", b"ow 1", b"ann@example.com"],
        ] {
            assert_eq!(ring.open(&other, &sealed), Err(SealError));
        }
    }

    // SC4: any changed byte, and any truncation, is refused.
    #[test]
    fn sc4_changed_values_are_refused() {
        let ring = KeyRing::new(&pepper(1), &[]);
        let sealed = ring.seal(&[b"x"], b"hello", &SystemEntropy).unwrap();
        for i in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[i] ^= 1;
            assert_eq!(ring.open(&[b"x"], &Sealed::from_bytes(bytes)), Err(SealError), "byte {i}");
            assert_eq!(ring.open(&[b"x"], &Sealed::from_bytes(&sealed.as_bytes()[..i])), Err(SealError), "cut at {i}");
        }
    }

    // SC4, PW2: what an old pepper made is still checked and opened, and by nobody who lacks it.
    #[test]
    fn sc4_old_peppers_check_and_open() {
        let before = KeyRing::new(&pepper(1), &[]);
        let after = KeyRing::new(&pepper(2), &[pepper(1)]);
        let stranger = KeyRing::new(&pepper(2), &[]);
        let mac = before.mac(MacUse::Code, &[b"a"]);
        let sealed = before.seal(&[b"x"], b"hello", &SystemEntropy).unwrap();

        assert!(after.verify(MacUse::Code, &[b"a"], &mac));
        assert_eq!(*after.open(&[b"x"], &sealed).unwrap(), b"hello");
        assert!(!stranger.verify(MacUse::Code, &[b"a"], &mac));
        assert_eq!(stranger.open(&[b"x"], &sealed), Err(SealError));
        assert_eq!(after.mac(MacUse::Code, &[b"a"]).key(), after.current());
    }

    // SC4: uses are apart, and so are parts that join to the same bytes.
    #[test]
    fn sc4_macs_are_apart_by_use_and_framing() {
        let ring = KeyRing::new(&pepper(1), &[]);
        let mac = ring.mac(MacUse::Code, &[b"ab", b"c"]);
        assert!(!ring.verify(MacUse::Refresh, &[b"ab", b"c"], &mac));
        assert!(!ring.verify(MacUse::Code, &[b"a", b"bc"], &mac));
        assert!(ring.verify(MacUse::Code, &[b"ab", b"c"], &mac));
    }

    // SC3
    #[test]
    fn sc3_weak_peppers_are_refused() {
        assert_eq!(Pepper::new([1; 31]).unwrap_err(), InvalidPepper::TooShort);
        assert_eq!(Pepper::new([b'a'; 64]).unwrap_err(), InvalidPepper::NotRandom);
        assert_eq!(Pepper::new(b"changeme".repeat(4)).unwrap_err(), InvalidPepper::NotRandom);
    }

    // SC1
    #[test]
    fn sc1_secrets_dont_print() {
        let text = format!("{:?} {:?}", pepper(65), KeyRing::new(&pepper(65), &[]));
        assert!(!text.contains("ABCD") && !text.contains("65, 66"), "{text}");
    }
}
