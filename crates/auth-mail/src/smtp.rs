//! Mail to an SMTP server.

mod connections;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{Mail, escape};
use auth_core::port::{MailError, Mailer};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};

pub use self::settings::{InvalidSmtpSettings, SmtpPassword, SmtpSettings, Tls};

use self::connections::{Connections, close};
use crate::{Composer, Message};

/// Hands each mail to an SMTP server.
///
/// - One message, one recipient, one transaction.
/// - Ends within the settings' timeout, connecting included, whatever the server does.
/// - Connections are kept for a while and used again.
/// - A mail may arrive twice where the server took it but its answer was lost; the `Message-ID` is then the same.
///
/// | what happens | answer |
/// |---|---|
/// | no connection, no TLS, an untrusted certificate, a refused password, a refused sender, a timeout, any 4xx | transient: it says nothing about this mail, or may pass |
/// | 5xx to the recipient or the content | permanent |
/// | a recipient beyond ASCII, and a server without SMTPUTF8 | permanent |
#[derive(Debug)]
pub struct SmtpMailer {
    composer: Composer,
    connections: Arc<Connections>,
    timeout: Duration,
}

impl SmtpMailer {
    /// Sends what `composer` composes to the server of `settings`. Connects with the first mail.
    ///
    /// # Errors
    /// [`InvalidSmtpSettings::Tls`] when TLS can't be set up.
    pub fn new(settings: SmtpSettings, composer: Composer) -> Result<Self, InvalidSmtpSettings> {
        let timeout = settings.timeout;
        Ok(Self { composer, connections: Arc::new(Connections::new(settings)?), timeout })
    }

    async fn deliver(&self, message: &Message) -> Result<(), MailError> {
        let opened = self.connections.take().await;
        let mut connection = opened.map_err(|error| transient("connecting to the SMTP server", &error))?;
        // A future dropped in here drops the connection: one that still owes a reply must never be used again, or the
        // next mail would read it as its own.
        let outcome = hand_over(&mut connection, message).await;
        match outcome {
            Ok(()) => self.connections.keep(connection),
            Err(_) => close(connection),
        }
        outcome
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.composer.compose(mail)?;
        // Around everything: lettre's own timeout ends with the TCP connection.
        let delivered = tokio::time::timeout(self.timeout, self.deliver(&message)).await;
        let late = |_| MailError::Transient(format!("the SMTP server took more than {:?}", self.timeout));
        delivered.map_err(late).flatten()
    }
}

async fn hand_over(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), MailError> {
    let (from, to) = message.envelope();
    let mut parameters = Vec::new();
    if !message.to().is_ascii() {
        // RFC 6531 §3.1: whoever offers SMTPUTF8 offers 8BITMIME.
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let reason = "the address isn't ASCII, and the SMTP server doesn't take such (SMTPUTF8)";
            return Err(MailError::Permanent(reason.to_owned()));
        }
        parameters = vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)];
    }
    let mail_from = MailFrom::new(Some(from), parameters);
    connection.command(mail_from).await.map_err(|error| transient("the sender was refused", &error))?;
    connection.command(Rcpt::new(to, Vec::new())).await.map_err(|error| judge("the recipient was refused", &error))?;
    connection.command(Data).await.map_err(|error| judge("the mail was refused", &error))?;
    connection.message(message.mime()).await.map_err(|error| judge("the mail was refused", &error))?;
    Ok(())
}

/// Permanent for 5xx, but not for those that ask for other credentials (RFC 4954 §6): a mis-set password must not cost
/// a mail.
fn judge(what: &str, error: &Error) -> MailError {
    let is_about_us = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    if error.is_permanent() && !is_about_us {
        MailError::Permanent(reason(what, error))
    } else {
        transient(what, error)
    }
}

fn transient(what: &str, error: &Error) -> MailError {
    MailError::Transient(reason(what, error))
}

/// What went wrong, fit for a log. Servers quote: words of a reply that may be an address, a link or a code are left out.
fn reason(what: &str, error: &Error) -> String {
    let is_private = |word: &str| word.contains(['@', '/', '=']) || crate::plain::has_six_digits(word);
    let text = error.to_string();
    let words: Vec<_> = text.split_whitespace().map(|word| if is_private(word) { "…" } else { word }).collect();
    escape(&format!("{what}: {}", words.join(" ")), 300)
}
