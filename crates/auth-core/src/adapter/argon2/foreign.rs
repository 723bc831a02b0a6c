//! Hashes that other systems made with bcrypt, scrypt or PBKDF2: verified, never made.

use std::num::NonZeroU32;

use argon2::password_hash::phc::{Decimal, Output, PasswordHash as Phc, Salt};
use aws_lc_rs::{constant_time, pbkdf2};
use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::limits;
use crate::domain::UnusableHash::{self, Malformed, TooCostly};

/// bcrypt in the spelling of `crypt(3)`: `$2b$12$`, then 22 characters of salt and 31 of hash.
///
/// - Takes the first 72 bytes of a password, as whoever made the hash did: a longer one that begins alike matches as well.
/// - A password is hashed with the NUL that ends it. One inside ends it early in C and not elsewhere, which is of no
///   consequence: [`Password`](crate::domain::Password) has none.
/// - `$2a$`, `$2b$` and `$2y$` are the same computation. `$2x$` marks what a faulty `crypt_blowfish` made; it is the same
///   for ASCII, and other passwords don't match.
pub(super) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    output: [u8; 23],
}

/// Tolerant of the spare bits of the last characters, which some implementations fill with what they like.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

impl Bcrypt {
    pub(super) fn read(text: &str) -> Result<Self, UnusableHash> {
        let malformed = || Malformed("bcrypt is $2b$, two digits, $ and 53 characters".to_owned());
        let mut parts = text.split('$').skip(2);
        let (Some(cost), Some(encoded), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let (salt, output) = encoded.split_at_checked(22).ok_or_else(malformed)?;
        let decode = |part: &str| BCRYPT_BASE64.decode(part).map_err(|_| malformed());
        let is_number = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
        let read = Self {
            cost: cost.parse().ok().filter(|_| is_number).ok_or_else(malformed)?,
            salt: decode(salt)?.try_into().map_err(|_| malformed())?,
            output: decode(output)?.try_into().map_err(|_| malformed())?,
        };
        match read.cost {
            0..4 => Err(Malformed("bcrypt's cost begins at 4".to_owned())),
            4..=limits::BCRYPT_COST => Ok(read),
            _ => Err(TooCostly("bcrypt of cost 14")),
        }
    }

    pub(super) fn matches(&self, password: &str) -> bool {
        let taken = password.len().min(72);
        let mut key = Zeroizing::new([0; 72]);
        key[..taken].copy_from_slice(&password.as_bytes()[..taken]);
        let output = bcrypt::bcrypt(self.cost, self.salt, &key[..(taken + 1).min(72)]);
        // The last of 24 bytes was never written down by anybody.
        constant_time::verify_slices_are_equal(&output[..23], &self.output).is_ok()
    }
}

/// scrypt (RFC 7914) as PHC string: `$scrypt$ln=17,r=8,p=1$`, salt and hash.
pub(super) struct Scrypt {
    params: scrypt::Params,
    /// What verifying takes.
    pub(super) memory_kib: u32,
    salt: Salt,
    output: Output,
}

impl Scrypt {
    pub(super) fn read(phc: &Phc) -> Result<Self, UnusableHash> {
        let [log_n, r, p] = decimals(phc, ["ln", "r", "p"])?;
        let too_costly = TooCostly("scrypt of 256 MiB, 512 MiB over all p, r=64, p=16");
        let memory_kib = limits::scrypt_memory_kib(log_n, r, p).ok_or(too_costly)?;
        let params = u8::try_from(log_n).ok().filter(|&log_n| log_n > 0);
        let params = params.and_then(|log_n| scrypt::Params::new(log_n, r, p).ok());
        let params = params.ok_or_else(|| Malformed("scrypt's ln, r and p begin at 1".to_owned()))?;
        let (salt, output) = salt_and_output(phc)?;
        Ok(Self { params, memory_kib, salt, output })
    }

    pub(super) fn matches(&self, password: &str) -> bool {
        let mut output = Zeroizing::new([0; Output::MAX_LENGTH]);
        let output = &mut output[..self.output.len()];
        scrypt::scrypt(password.as_bytes(), &self.salt, &self.params, output).is_ok()
            && constant_time::verify_slices_are_equal(output, self.output.as_bytes()).is_ok()
    }
}

/// PBKDF2 (RFC 8018 §5.2) as PHC string: `$pbkdf2-sha256$i=600000$`, salt and hash.
pub(super) struct Pbkdf2 {
    algorithm: pbkdf2::Algorithm,
    iterations: NonZeroU32,
    salt: Salt,
    output: Output,
}

impl Pbkdf2 {
    pub(super) fn read(phc: &Phc) -> Result<Self, UnusableHash> {
        let (algorithm, block) = match phc.algorithm.as_str() {
            "pbkdf2" | "pbkdf2-sha1" => (pbkdf2::PBKDF2_HMAC_SHA1, 20),
            "pbkdf2-sha256" => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
            "pbkdf2-sha512" => (pbkdf2::PBKDF2_HMAC_SHA512, 64),
            _ => return Err(UnusableHash::UnknownKind),
        };
        let (salt, output) = salt_and_output(phc)?;
        let iterations = match decimals(phc, ["i", "l"]) {
            // Some write down the length of what follows.
            Ok([iterations, length]) if usize::try_from(length) == Ok(output.len()) => iterations,
            _ => decimals(phc, ["i"])?[0],
        };
        let iterations = NonZeroU32::new(iterations).ok_or_else(|| Malformed("no iterations".to_owned()))?;
        if !limits::allow_pbkdf2(algorithm, iterations, output.len().div_ceil(block)) {
            return Err(TooCostly("PBKDF2 of 5000000 iterations, 2000000 with SHA-512"));
        }
        Ok(Self { algorithm, iterations, salt, output })
    }

    pub(super) fn matches(&self, password: &str) -> bool {
        // Compares in constant time.
        pbkdf2::verify(self.algorithm, self.iterations, &self.salt, password.as_bytes(), self.output.as_bytes()).is_ok()
    }
}

/// The values of `names`, which are all the parameters there are.
fn decimals<const N: usize>(phc: &Phc, names: [&str; N]) -> Result<[Decimal; N], UnusableHash> {
    let malformed = || Malformed(format!("its parameters are not {}", names.join(", ")));
    if phc.version.is_some() || phc.params.iter().count() != N {
        return Err(malformed());
    }
    let mut values = [0; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = phc.params.get_decimal(name).ok_or_else(malformed)?;
    }
    Ok(values)
}

fn salt_and_output(phc: &Phc) -> Result<(Salt, Output), UnusableHash> {
    phc.salt.zip(phc.hash).ok_or_else(|| Malformed("it lacks salt or hash".to_owned()))
}
