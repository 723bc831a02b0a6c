//! Whom mail comes from.

use lettre::Address;
use lettre::message::Mailbox;

use crate::plain::{has_six_digits, is_deceptive};

/// Whom mail comes from: `no-reply@acme.example`, or `Acme <no-reply@acme.example>`.
///
/// - Exactly one mailbox, its address in ASCII; a name with a comma needs no quotes.
/// - Mails call the application by the name, or by the address's domain where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    address: Address,
}

/// The text names no sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSender {
    /// Not one plain address in ASCII.
    #[error("the sender isn't one ASCII address, like no-reply@acme.example or Acme <no-reply@acme.example>")]
    Address,
    /// The name has control or bidirectional characters, or six digits in a row, which a reader would take for a code.
    #[error("the sender's name has control characters or six digits in a row")]
    Name,
}

impl Sender {
    /// Reads an address, with or without a name before it.
    ///
    /// # Errors
    /// [`InvalidSender`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidSender> {
        let text = text.trim();
        let (name, address) = text
            .strip_suffix('>')
            .and_then(|rest| rest.rsplit_once('<'))
            .map_or((String::new(), text), |(name, address)| (unquote(name.trim()), address));
        if name.contains(['<', '>']) {
            return Err(InvalidSender::Address);
        }
        if name.chars().any(|c| c.is_control() || is_deceptive(c)) || has_six_digits(&name) {
            return Err(InvalidSender::Name);
        }
        let address: Address = address.parse().map_err(|_| InvalidSender::Address)?;
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"<>[]\\,;".contains(c);
        if !address.to_string().chars().all(is_plain) {
            return Err(InvalidSender::Address);
        }
        Ok(Self { name: Some(name).filter(|name| !name.is_empty()), address })
    }

    /// What mails call the application.
    pub fn app(&self) -> &str {
        self.name.as_deref().unwrap_or(self.address.domain())
    }

    /// The domain of the address.
    pub fn domain(&self) -> &str {
        self.address.domain()
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn mailbox(&self) -> Mailbox {
        Mailbox::new(self.name.clone(), self.address.clone())
    }
}

/// The text of an RFC 5322 quoted string; any other text as it is.
fn unquote(text: &str) -> String {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, String) {
        let sender = Sender::parse(text).unwrap();
        (sender.app().to_owned(), sender.address().to_string())
    }

    #[test]
    fn reads_an_address_with_or_without_a_name() {
        let address = || "no-reply@acme.example".to_owned();
        assert_eq!(parsed("no-reply@acme.example"), ("acme.example".into(), address()));
        assert_eq!(parsed("<no-reply@acme.example>"), ("acme.example".into(), address()));
        assert_eq!(parsed(" Acme <no-reply@acme.example> "), ("Acme".into(), address()));
        assert_eq!(parsed("Acme, Inc. <no-reply@acme.example>"), ("Acme, Inc.".into(), address()));
        assert_eq!(parsed(r#""The \"Acme\"" <no-reply@acme.example>"#), ("The \"Acme\"".into(), address()));
        assert_eq!(parsed("Portcullis <portcullis@localhost>").1, "portcullis@localhost");
    }

    // EM1: nothing that could make two senders, a header or a command of one.
    #[test]
    fn em1_refuses_what_is_not_one_plain_mailbox() {
        for text in [
            "",
            "Acme",
            "Acme <>",
            "a@acme.example, b@acme.example",
            "a@acme.example <b@acme.example> c@acme.example",
            "Acme <a@acme.example>, Bob <b@acme.example>",
            "Acme <a@acme.example\r\nBcc: b@acme.example>",
            "\"a b\"@acme.example",
            "josé@acme.example",
            "a@bücher.example",
        ] {
            assert_eq!(Sender::parse(text), Err(InvalidSender::Address), "{text:?}");
        }
        for text in ["Acme\r\nBcc: x <a@acme.example>", "A\u{202e}cme <a@acme.example>", "Acme 123456 <a@acme.example>"]
        {
            assert_eq!(Sender::parse(text), Err(InvalidSender::Name), "{text:?}");
        }
    }
}
