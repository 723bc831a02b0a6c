//! Stored hashes of every kind, read and found affordable.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Params, Version};

use super::foreign::{Bcrypt, Pbkdf2, Scrypt};
use super::{SALT_LEN, limits};
use crate::domain::UnusableHash::{self, Malformed, TooCostly, UnknownKind, UnknownPepper};
use crate::domain::{KeyId, PasswordHash};

/// A stored hash. None costs more to verify than the module `limits` allows.
pub(super) enum Stored {
    Argon2(Argon2Hash),
    Bcrypt(Bcrypt),
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
}

impl Stored {
    pub(super) fn read(text: &str) -> Result<Self, UnusableHash> {
        let kind = text.strip_prefix('$').and_then(|text| text.split('$').next()).ok_or(UnknownKind)?;
        let phc = || Phc::new(text).map_err(|error| Malformed(error.to_string()));
        match kind {
            "argon2id" | "argon2i" | "argon2d" => Argon2Hash::read(&phc()?).map(Self::Argon2),
            "2a" | "2b" | "2x" | "2y" => Bcrypt::read(text).map(Self::Bcrypt),
            "scrypt" => Scrypt::read(&phc()?).map(Self::Scrypt),
            "pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha256" | "pbkdf2-sha512" => Pbkdf2::read(&phc()?).map(Self::Pbkdf2),
            _ => Err(UnknownKind),
        }
    }
}

/// An Argon2 hash.
pub(super) struct Argon2Hash {
    pub(super) algorithm: Algorithm,
    pub(super) version: Version,
    pub(super) params: Params,
    /// The pepper it was made under; `None` where it was imported from where there is none.
    pub(super) pepper: Option<KeyId>,
    pub(super) salt: Salt,
    pub(super) output: Output,
}

impl Argon2Hash {
    fn read(phc: &Phc) -> Result<Self, UnusableHash> {
        let malformed = |why: &str| Malformed(why.to_owned());
        let algorithm = Algorithm::new(phc.algorithm.as_str()).map_err(|_| UnknownKind)?;
        // Hashes that don't say are from before versions were written down.
        let version =
            phc.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(|_| malformed("unknown version"))?;
        let params = Params::try_from(phc).map_err(|_| malformed("its parameters are not those of Argon2"))?;
        if !limits::allow_argon2(params.m_cost(), params.t_cost()) {
            return Err(TooCostly("Argon2 of 256 MiB, 1 GiB over all passes"));
        }
        let pepper = match params.keyid() {
            [] => None,
            id => Some(KeyId::from_bytes(id).ok_or(UnknownPepper)?),
        };
        let (salt, output) = phc.salt.zip(phc.hash).ok_or_else(|| malformed("it lacks salt or hash"))?;
        Ok(Self { algorithm, version, params, pepper, salt, output })
    }

    /// Whether a new hash would differ in anything but salt and password. A costlier one is outdated too: while costs
    /// differ, so does the time that known and unknown addresses take.
    pub(super) fn is_outdated(&self, current: &Params) -> bool {
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || self.params != *current
            || self.salt.len() != SALT_LEN
    }
}

impl PasswordHash {
    /// A hash that another system made, for [`Argon2Pool`](crate::adapter::Argon2Pool) to verify. It is replaced by one of
    /// ours when its owner next signs in; until then it is as strong as it was there, and no pepper guards it.
    ///
    /// - PHC strings of Argon2 (i, d, id), scrypt and PBKDF2 (`pbkdf2-sha1`, `-sha256`, `-sha512`)
    /// - bcrypt: `$2a$`, `$2b$`, `$2x$`, `$2y$`
    /// - What Django stores of these (`pbkdf2_sha256$…`, `argon2$argon2id$…`, `bcrypt$$2b$…`), and passlib's PBKDF2. Kept as
    ///   PHC string, or as bcrypt's.
    ///
    /// What is accepted costs a sign-in 256 MiB and about two seconds at most: hashes come from files that others wrote.
    ///
    /// # Errors
    /// [`UnusableHash`] says why a user of this hash could never sign in. It names no part of the hash.
    pub fn import(text: &str) -> Result<Self, UnusableHash> {
        let text = spelled_as_phc(text)?;
        match Stored::read(&text)? {
            Stored::Argon2(hash) if hash.pepper.is_some() => Err(UnknownPepper),
            _ => Ok(Self::from_stored(text)),
        }
    }
}

/// Translates the spellings of Django and passlib.
///
/// <https://docs.djangoproject.com/en/5.2/topics/auth/passwords/>,
/// <https://passlib.readthedocs.io/en/stable/lib/passlib.hash.pbkdf2_digest.html>
fn spelled_as_phc(text: &str) -> Result<String, UnusableHash> {
    // Django names the kind once more before what others made.
    let text = text.strip_prefix("bcrypt$").or_else(|| text.strip_prefix("argon2")).unwrap_or(text);
    let parts: Vec<&str> = text.splitn(6, '$').collect();
    match parts[..] {
        [kind @ ("pbkdf2_sha1" | "pbkdf2_sha256"), iterations, salt, hash] => {
            // Django's salt is the text itself.
            let salt = Salt::new(salt.as_bytes()).map_err(|error| Malformed(error.to_string()))?;
            pbkdf2_phc(&kind.replace('_', "-"), iterations, &salt.to_string(), hash.trim_end_matches('='))
        }
        ["", kind, iterations, salt, hash] if kind.starts_with("pbkdf2") && !iterations.contains('=') => {
            pbkdf2_phc(kind, iterations, &salt.replace('.', "+"), &hash.replace('.', "+"))
        }
        _ => Ok(text.to_owned()),
    }
}

fn pbkdf2_phc(kind: &str, iterations: &str, salt: &str, hash: &str) -> Result<String, UnusableHash> {
    let malformed = |error: argon2::password_hash::phc::Error| Malformed(error.to_string());
    let mut params = ParamsString::new();
    params.add_str("i", iterations).map_err(malformed)?;
    Ok(format!("${kind}${params}${salt}${hash}"))
}
