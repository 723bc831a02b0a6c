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
