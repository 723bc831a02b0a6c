//! From a mail as the core means it to a message as it travels.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_core::domain::{Mail, MailId, MailKind, Timestamp};
use auth_core::port::{Clock, MailError};
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, MultiPart, SinglePart};
use zeroize::Zeroizing;

use crate::{Sender, Templates};

/// Composes messages: what every mailer of this crate sends, and a mailer of your own can.
///
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Composer {
    sender: Sender,
    templates: Templates,
    clock: Arc<dyn Clock>,
}

impl Composer {
    /// Composes mail from `sender`, in the words of `templates`, dated by `clock`.
    pub fn new(sender: Sender, templates: Templates, clock: Arc<dyn Clock>) -> Self {
        Self { sender, templates, clock }
    }

    #[cfg(feature = "smtp")]
    pub(crate) fn domain(&self) -> &str {
        self.sender.domain()
    }

    /// The message that tells `mail`.
    ///
    /// # Errors
    /// [`MailError::Permanent`] when the recipient can't be written to, [`MailError::Transient`] when there are no words
    /// for the mail.
    pub fn compose(&self, mail: &Mail) -> Result<Message, MailError> {
        let to: Address =
            mail.to.as_str().parse().map_err(|error| MailError::Permanent(format!("the recipient: {error}")))?;
        let words = self.templates.render(mail, self.sender.app())?;
        let mut message = Message {
            id: mail.id,
            kind: mail.content.kind(),
            composed_at: self.clock.now(),
            from: self.sender.address().clone(),
            to,
            subject: words.subject,
            text: words.text.into(),
            html: words.html.into(),
            mime: Zeroizing::default(),
        };
        message.mime = self.mime(&message).map_err(|error| MailError::Transient(error.to_string()))?.into();
        Ok(message)
    }

    fn mime(&self, message: &Message) -> Result<Vec<u8>, lettre::error::Error> {
        let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        let id = grouped(message.id);
        let parts = MultiPart::alternative()
            .boundary(format!("part-{id}"))
            .singlepart(part(ContentType::TEXT_PLAIN, &message.text))
            .singlepart(part(ContentType::TEXT_HTML, &message.html));
        lettre::Message::builder()
            .from(self.sender.mailbox())
            // Without a display name: it would be a stranger's text in a header.
            .to(message.to.clone().into())
            .subject(message.subject.as_str())
            .date(date(message.composed_at))
            .message_id(Some(format!("<{id}@{}>", message.from.domain())))
            // No holiday notes, please (RFC 3834 §5).
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auth-Mail", message.kind.as_str()))
            .multipart(parts)
            .map(|message| message.formatted())
    }
}

/// A message, ready to be handed over.
///
/// - Has exactly one recipient.
/// - The code is the only run of six digits in its text part, but for those that a link's random token may happen to
///   hold further down; the link stands alone on its line.
/// - Carries secrets: doesn't print, is erased when dropped.
#[derive(Clone)]
pub struct Message {
    id: MailId,
    kind: MailKind,
    composed_at: Timestamp,
    from: Address,
    to: Address,
    subject: String,
    text: Zeroizing<String>,
    html: Zeroizing<String>,
    mime: Zeroizing<Vec<u8>>,
}

impl Message {
    /// The mail it tells. Its `Message-ID` is made of this, so that a mail sent twice can be recognised.
    pub const fn id(&self) -> MailId {
        self.id
    }

    /// The kind of the mail, as in the header `X-Auth-Mail`.
    pub const fn kind(&self) -> MailKind {
        self.kind
    }

    /// When it was composed: its `Date`.
    pub const fn composed_at(&self) -> Timestamp {
        self.composed_at
    }

    /// The sender's address, for the envelope.
    pub fn from(&self) -> &str {
        self.from.as_ref()
    }

    /// The one recipient's address, for the envelope.
    pub fn to(&self) -> &str {
        self.to.as_ref()
    }

    /// The subject, one line.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The plain text part, not wrapped.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The HTML part.
    pub fn html(&self) -> &str {
        &self.html
    }

    /// All of it as it travels (RFC 5322, MIME), ASCII unless the recipient's address isn't.
    pub fn mime(&self) -> &[u8] {
        &self.mime
    }

    #[cfg(feature = "smtp")]
    pub(crate) fn envelope(&self) -> (Address, Address) {
        (self.from.clone(), self.to.clone())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({}, {})", self.kind.as_str(), self.id)
    }
}

fn part(content_type: ContentType, text: &str) -> SinglePart {
    // RFC 5322 §2.1.1.
    const MAX_LINE: usize = 998;
    let body = if text.is_ascii() && text.lines().all(|line| line.len() <= MAX_LINE) {
        // Lettre would put any line over 76 characters into quoted-printable. RFC 5322 doesn't ask for that, and links
        // that are left whole survive the crudest reader.
        let lines = text.replace('\n', "\r\n");
        Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    };
    SinglePart::builder().content_type(content_type).body(body)
}

/// The id in groups of four: whoever searches the source of a mail for six digits finds the code, not a piece of this.
fn grouped(id: MailId) -> String {
    let groups = id.as_uuid().into_bytes();
    groups
        .chunks(2)
        .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect::<Vec<String>>()
        .join("-")
}

fn date(at: Timestamp) -> SystemTime {
    // What the format can say: 1970 to 9999.
    const MAX: i64 = 253_402_300_799;
    SystemTime::UNIX_EPOCH + Duration::from_secs(at.as_seconds().clamp(0, MAX).unsigned_abs())
}
