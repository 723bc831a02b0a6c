//! E-mail addresses.

use std::fmt;
use std::hash::{Hash, Hasher};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// An e-mail address we are willing to send mail to.
///
/// - Equality is by mailbox: `Ann@Example.COM` and `ann@example.com` are one address.
/// - Holds the address as typed (normalised to NFKC, the domain in ASCII form) for sending, and its canonical form for
///   comparing.
///
/// Rejected: display names, lists, quoted local parts, address literals, control characters and white space, a domain
/// without a dot, a local part over 64 bytes or an address over 254 (RFC 5321 §4.5.3.1).
#[derive(Clone)]
pub struct Email {
    typed: Box<str>,
    canonical: Box<str>,
}

/// The text is no address that [`Email`] accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl Email {
    /// Canonicalises first, then validates: checking the raw text lets `＠` (U+FF20) through (GHSA-5jpx-9hw9-2fx4).
    ///
    /// # Errors
    /// [`InvalidEmail`] when the text is not one plain address.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        // Normalising can multiply the length; no address is longer than this to begin with.
        if text.len() > 1024 {
            return Err(InvalidEmail);
        }
        let normal: String = text.trim_matches([' ', '\t']).nfkc().collect();
        let (local, domain) = normal.split_once('@').ok_or(InvalidEmail)?;
        let domain = ascii_domain(domain)?;
        if !is_local_part(local) || local.len() + 1 + domain.len() > 254 {
            return Err(InvalidEmail);
        }
        let typed = format!("{local}@{domain}");
        let canonical: String = format!("{}@{domain}", fold(local));
        if canonical.len() > 254 {
            return Err(InvalidEmail);
        }
        Ok(Self { typed: typed.into(), canonical: canonical.into() })
    }

    /// An address that was parsed before, from what a store kept of it. Not checked again: rules that have become stricter
    /// since, or newer Unicode tables, must not make an account unreadable, nor move it to another canonical form.
    pub fn from_stored(typed: impl Into<Box<str>>, canonical: impl Into<Box<str>>) -> Self {
        Self { typed: typed.into(), canonical: canonical.into() }
    }

    /// The address to send to, as its owner spells it.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// The form that stores index: equal for equal addresses, compared byte by byte.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The part before the `@`, as typed.
    pub fn local_part(&self) -> &str {
        self.typed.split_once('@').map_or("", |(local, _)| local)
    }
}

/// Lower case, stable under NFKC, so that `İ` and friends can't make two canonical forms of one address.
fn fold(local: &str) -> String {
    local.to_lowercase().nfkc().collect()
}

/// `A-label` form by UTS 46, so that `bücher.example` and `xn--bcher-kva.example` are one domain.
fn ascii_domain(domain: &str) -> Result<String, InvalidEmail> {
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidEmail)?;
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63;
    let last = ascii.rsplit('.').next().unwrap_or_default();
    // A numeric last label is an IPv4 address to many resolvers.
    let is_host = ascii.contains('.') && ascii.split('.').all(is_label) && !last.bytes().all(|b| b.is_ascii_digit());
    if is_host { Ok(ascii) } else { Err(InvalidEmail) }
}

/// An atom with single inner dots (RFC 5321 `Dot-string`), letters beyond ASCII allowed (RFC 6531).
fn is_local_part(local: &str) -> bool {
    let is_atom = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^' | '_' | '`' | '{' | '|' | '}'
        | '~' => true,
        // Letters, digits and their marks in any script; format characters (bidi, zero width) and controls are neither.
        _ => !c.is_ascii() && (c.is_alphanumeric() || is_combining_mark(c)),
    };
    local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Email {}

impl Hash for Email {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

/// Prints the domain only: an address is personal data, and logs are read by many.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = self.typed.split_once('@').map_or("", |(_, domain)| domain);
        write!(f, "Email(…@{domain})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Email::parse(text).unwrap().canonical().to_owned()
    }

    // IN1, EN3: one mailbox has one canonical form, however it is typed.
    #[test]
    fn spellings_of_one_mailbox_are_equal() {
        for text in
            ["ann@example.com", "Ann@Example.COM", " ann@example.com ", "ann＠example.com", "ａｎｎ@example.com"]
        {
            assert_eq!(canonical(text), "ann@example.com", "{text}");
        }
        assert_eq!(canonical("ann@bücher.example"), canonical("ann@XN--BCHER-KVA.example"));
    }

    // IN1: look-alikes stay apart; a dotless ı is not an i.
    #[test]
    fn different_mailboxes_stay_different() {
        assert_ne!(canonical("mıke@example.com"), canonical("mike@example.com"));
        assert_ne!(canonical("josé@example.com"), canonical("jose@example.com"));
    }

    // IN1: canonicalising twice changes nothing.
    #[test]
    fn canonical_form_is_a_fixed_point() {
        for text in ["İstanbul@example.com", "ΟΔΟΣ@example.com", "ﬀ@example.com", "K@example.com", "ß@straße.example"]
        {
            let once = canonical(text);
            assert_eq!(canonical(&once), once, "{text}");
        }
    }

    // EM1: nothing that could add a recipient or a header is an address.
    #[test]
    fn refuses_what_is_not_one_plain_address() {
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@localhost",
            "ann@example..com",
            "a@b@example.com",
            "Ann <ann@example.com>",
            "ann@example.com,bob@example.com",
            "\"ann\"@example.com",
            "ann@[127.0.0.1]",
            "ann@127.0.0.1",
            "ann@example.com\r\nBcc: b@example.com",
            "an n@example.com",
            ".ann@example.com",
            "ann.@example.com",
            "a..n@example.com",
            "ann@-example.com",
            "an\u{202e}n@example.com",
            "ann@exa mple.com",
            "ann\0@example.com",
            "ann@example.com.",
            "ann(c)@example.com",
        ] {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text:?}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        assert_eq!(Email::parse(&long), Err(InvalidEmail));
    }

    #[test]
    fn debug_keeps_the_mailbox_private() {
        assert_eq!(format!("{:?}", Email::parse("ann@example.com").unwrap()), "Email(…@example.com)");
    }
}
