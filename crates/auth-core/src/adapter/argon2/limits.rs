//! What a stored hash may cost to verify: whoever can bring hashes in, or corrupt them, must not thereby buy the machine.
//!
//! - Memory: 256 MiB. Admits libsodium's "moderate" and scrypt with `ln=18,r=8`, twice what OWASP's Password Storage Cheat
//!   Sheet recommends; refuses the gigabytes of "sensitive" and of RFC 9106 §4's first choice.
//! - Time: about two seconds of one core, where the usual settings take half of one or less.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;

/// KiB of memory that one hash may ask for.
pub(super) const MEMORY_KIB: u32 = 256 * 1024;

/// Argon2: the memory, and 1 GiB over all passes.
pub(super) const fn allow_argon2(memory_kib: u32, passes: u32) -> bool {
    memory_kib <= MEMORY_KIB && memory_kib as u64 * passes as u64 <= 1 << 20
}

/// bcrypt's cost is the binary logarithm of its rounds; 12 is usual.
pub(super) const BCRYPT_COST: u32 = 14;

/// What scrypt with N = 2^`log_n` asks for in KiB; `None` where that is too much, or takes too long.
///
/// `r` and `p` are bounded by themselves: the buffer of r·p·128 bytes comes on top.
pub(super) fn scrypt_memory_kib(log_n: u32, r: u32, p: u32) -> Option<u32> {
    let is_bounded = log_n <= 20 && r <= 64 && p <= 16;
    let kib = is_bounded.then(|| (r << log_n).div_ceil(8))?;
    (kib <= MEMORY_KIB && kib * p <= 2 * MEMORY_KIB).then_some(kib)
}

/// PBKDF2: iterations over all blocks of the output (RFC 8018 §5.2), whose rounds take longer with SHA-512. OWASP recommends
/// 600,000 with SHA-256 and 210,000 with SHA-512.
pub(super) fn allow_pbkdf2(algorithm: pbkdf2::Algorithm, iterations: NonZeroU32, blocks: usize) -> bool {
    let most = if algorithm == pbkdf2::PBKDF2_HMAC_SHA512 { 2_000_000 } else { 5_000_000 };
    u64::from(iterations.get()).saturating_mul(blocks as u64) <= most
}
