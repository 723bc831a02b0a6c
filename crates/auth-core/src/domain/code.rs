//! Six-digit codes.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::port::Entropy;

/// A one-time code of six digits, for people to copy from a mail.
///
/// A million possibilities are few: a code lives shortly, takes five attempts, and is stored as a keyed
/// [`Mac`](super::Mac) only.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code([u8; 6]);

impl Code {
    /// A fresh code, uniform over `000000` to `999999`.
    pub fn new(entropy: &dyn Entropy) -> Self {
        // Numbers from the last, incomplete million are drawn again: a plain remainder would favour low codes.
        const LIMIT: u32 = u32::MAX - u32::MAX % 1_000_000;
        loop {
            let mut bytes = [0; 4];
            entropy.fill(&mut bytes);
            let number = u32::from_le_bytes(bytes);
            if number < LIMIT {
                let mut rest = number % 1_000_000;
                let mut digits = [b'0'; 6];
                for digit in digits.iter_mut().rev() {
                    *digit += (rest % 10) as u8;
                    rest /= 10;
                }
                return Self(digits);
            }
        }
    }

    /// Reads six ASCII digits; `None` for anything else, full-width digits and surrounding space included.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The digits, for the one mail that carries them.
    pub fn expose(&self) -> String {
        self.0.iter().map(|&digit| char::from(digit)).collect()
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::SystemEntropy;

    // VT1: uniform at each of the six places, leading zeros included. Chi-square over 100,000 codes; with 9 degrees of
    // freedom a fair source exceeds 60 once in a billion runs.
    #[test]
    fn vt1_codes_are_uniform() {
        let mut counts = [[0_u32; 10]; 6];
        for _ in 0..100_000 {
            for (place, digit) in Code::new(&SystemEntropy).as_bytes().iter().enumerate() {
                counts[place][usize::from(digit - b'0')] += 1;
            }
        }
        for place in counts {
            let chi_square: f64 = place.iter().map(|&n| (f64::from(n) - 10_000.0).powi(2) / 10_000.0).sum();
            assert!(chi_square < 60.0, "{place:?}: {chi_square}");
        }
    }

    // VT1: ASCII digits only, six of them.
    #[test]
    fn vt1_only_six_ascii_digits_are_a_code() {
        assert_eq!(Code::parse("000042").unwrap().expose(), "000042");
        for text in ["", "12345", "1234567", "12345a", "１２３４５６", " 12345", "+12345", "12 345", "-12345"] {
            assert!(Code::parse(text).is_none(), "{text}");
        }
    }

    // VT1: what would fall into the incomplete last million is drawn again.
    #[test]
    fn vt1_no_remainder_is_favoured() {
        #[derive(Debug)]
        struct Draws(std::sync::atomic::AtomicU32);

        impl Entropy for Draws {
            fn fill(&self, bytes: &mut [u8]) {
                let draw = self.0.fetch_sub(1_000_000, std::sync::atomic::Ordering::SeqCst);
                bytes.copy_from_slice(&draw.to_le_bytes());
            }
        }
        assert_eq!(Code::new(&Draws(u32::MAX.into())).expose(), "967295");
    }
}
