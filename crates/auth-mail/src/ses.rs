//! Mail through Amazon SES.

mod client;
mod refusal;
mod settings;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::Mail;
use auth_core::port::{MailError, Mailer};
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};

pub use self::settings::{InvalidSesSettings, SesSecretKey, SesSettings};

use self::client::unlogged;
use crate::{Composer, Message};

/// Hands each mail to Amazon SES.
///
/// - One message, one destination, one request (`SendEmail` of the API's version 2, with the message as it stands).
/// - Region and credentials are found the usual AWS way: environment, profile, a container's or machine's role. Roles'
///   credentials are renewed as they expire.
/// - Ends within the settings' timeout, finding credentials and connecting included. Nothing is tried twice: that is the
///   outbox's business.
/// - A mail may arrive twice where SES took it but its answer was lost. SES puts a `Message-ID` and a `Date` of its own in
///   place of ours, so nothing shows that the two are one.
/// - What the SDK traces of its work isn't logged, at any level: answers are in it as they came, which quote mail, and
///   requests where somebody asked for them.
///
/// | what happens | answer |
/// |---|---|
/// | no connection, an untrusted certificate, a timeout, throttling, any 5xx | transient: it may pass |
/// | no credentials, wrong ones, no permission; an unverified sender, also any recipient in the sandbox; no such configuration set; a paused or suspended account, a used-up quota | transient: settings are to be corrected, and must not cost a mail |
/// | `MessageRejected` or `BadRequestException` for any other reason | permanent |
/// | a recipient beyond ASCII, which SES doesn't take | permanent |
/// | anything unheard-of | transient: a mail expires by itself |
pub struct SesMailer {
    composer: Composer,
    client: Client,
    configuration_set: Option<String>,
    timeout: Duration,
}

impl SesMailer {
    /// Sends what `composer` composes through the SES of `settings`. Asks for credentials with the first mail.
    ///
    /// # Errors
    /// [`InvalidSesSettings`] when no region is found, the endpoint would be spoken to in the clear, or this system
    /// trusts no certificate.
    pub async fn new(settings: SesSettings, composer: Composer) -> Result<Self, InvalidSesSettings> {
        let client = client::connect(&settings).await?;
        let SesSettings { configuration_set, timeout, .. } = settings;
        Ok(Self { composer, client, configuration_set, timeout })
    }

    async fn deliver(&self, message: &Message) -> Result<(), MailError> {
        let raw = RawMessage::builder().data(Blob::new(message.mime())).build();
        let raw = raw.map_err(|error| MailError::Transient(error.to_string()))?;
        let request = self
            .client
            .send_email()
            .from_email_address(message.from())
            .destination(Destination::builder().to_addresses(message.to()).build())
            .content(EmailContent::builder().raw(raw).build())
            .set_configuration_set_name(self.configuration_set.clone());
        let taken = request.send().await;
        taken.map(drop).map_err(|error| refusal::judge(&error, message.from()))
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.composer.compose(mail)?;
        if !message.to().is_ascii() {
            let reason = "the address isn't ASCII, and SES doesn't take such (SMTPUTF8)";
            return Err(MailError::Permanent(reason.to_owned()));
        }
        // Around everything: the SDK's own timeouts begin once it has credentials.
        let delivered = tokio::time::timeout(self.timeout, unlogged(self.deliver(&message))).await;
        let late = |_| MailError::Transient(format!("SES took more than {:?}", self.timeout));
        delivered.map_err(late).flatten()
    }
}

impl fmt::Debug for SesMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { composer, client: _, configuration_set, timeout } = self;
        let mut mailer = f.debug_struct("SesMailer");
        mailer.field("composer", composer).field("configuration_set", configuration_set).field("timeout", timeout);
        mailer.finish_non_exhaustive()
    }
}
