//! Mail to an SMTP server.

mod connections;
mod settings;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::Mail;
use auth_core::port::{MailError, Mailer};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use tokio::sync::Semaphore;

pub use self::settings::{InvalidSmtpSettings, SmtpPassword, SmtpSettings, Tls};

use self::connections::{Connections, close};
use crate::reason::reason;
use crate::{Composer, Message};

/// Hands each mail to an SMTP server.
///
/// - One message, one recipient, one transaction.
/// - Ends within the settings' timeout, connecting included, whatever the server does.
/// - At most four connections at a time, since servers limit them; they are kept for a while and used again.
/// - A mail may arrive twice where the server took it but its answer was lost; the `Message-ID` is then the same.
///
/// | what happens | answer |
/// |---|---|
/// | no connection, no TLS, an untrusted certificate, a timeout, any 4xx | transient: it may pass |
/// | 5xx to our password, our sender, or our right to send here (5.7.x to the recipient) | transient: settings are to be corrected, and must not cost a mail |
/// | any other 5xx to the recipient, or to the content | permanent |
/// | a recipient beyond ASCII, and a server without SMTPUTF8 | permanent |
#[derive(Debug)]
pub struct SmtpMailer {
    composer: Composer,
    connections: Arc<Connections>,
    slots: Semaphore,
    timeout: Duration,
}

const MAX_CONNECTIONS: usize = 4;

impl SmtpMailer {
    /// Sends what `composer` composes to the server of `settings`. Connects with the first mail.
    ///
    /// # Errors
    /// [`InvalidSmtpSettings::Tls`] when TLS can't be set up.
    pub fn new(settings: SmtpSettings, composer: Composer) -> Result<Self, InvalidSmtpSettings> {
        let timeout = settings.timeout;
        let connections = Arc::new(Connections::new(settings, composer.domain())?);
        Ok(Self { composer, connections, slots: Semaphore::new(MAX_CONNECTIONS), timeout })
    }

    /// Whether the server can be reached, has a certificate to trust, and takes our password. Sends nothing.
    ///
    /// # Errors
    /// [`MailError::Transient`] with the server's words.
    pub async fn check(&self) -> Result<(), MailError> {
        let connecting = async {
            let opened = self.connections.take().await;
            self.connections.keep(opened.map_err(|error| transient("connecting to the SMTP server", &error))?);
            Ok(())
        };
        self.in_time(connecting).await
    }

    /// Around everything: lettre's own timeout ends with the TCP connection.
    async fn in_time(&self, work: impl Future<Output = Result<(), MailError>>) -> Result<(), MailError> {
        let late = |_| MailError::Transient(format!("the SMTP server took more than {:?}", self.timeout));
        tokio::time::timeout(self.timeout, work).await.map_err(late).flatten()
    }

    async fn deliver(&self, message: &Message) -> Result<(), MailError> {
        let _slot = self.slots.acquire().await;
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
        self.in_time(self.deliver(&message)).await
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
    let refused = |error: &Error| {
        let what = "the recipient was refused";
        if is_about_us(error) { transient(what, error) } else { by_code(what, error) }
    };
    connection.command(Rcpt::new(to, Vec::new())).await.map_err(|error| refused(&error))?;
    connection.command(Data).await.map_err(|error| refused(&error))?;
    connection.message(message.mime()).await.map_err(|error| by_code("the mail was refused", &error))?;
    Ok(())
}

/// Whether a refusal is of whoever sends: other credentials wanted (RFC 4954 §6), or not authorised (5.7.x, RFC 3463
/// §3.8), which is what most servers say to strangers who want to relay.
fn is_about_us(error: &Error) -> bool {
    let wants_login = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    wants_login || error.source().is_some_and(|reply| reply.to_string().starts_with("5.7."))
}

fn by_code(what: &str, error: &Error) -> MailError {
    if error.is_permanent() { MailError::Permanent(reason(what, &error.to_string())) } else { transient(what, error) }
}

fn transient(what: &str, error: &Error) -> MailError {
    MailError::Transient(reason(what, &error.to_string()))
}
