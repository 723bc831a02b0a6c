//! Mail to two places.

use std::sync::Arc;

use async_trait::async_trait;
use auth_core::domain::Mail;
use auth_core::port::{MailError, Mailer};

/// Sends each mail through two mailers: in development, onto the console and into a folder.
///
/// Both are tried whatever the other says. It is sent only when both have sent it, so after a failure of one the other
/// may get it twice.
#[derive(Debug)]
pub struct Tee {
    first: Arc<dyn Mailer>,
    second: Arc<dyn Mailer>,
}

impl Tee {
    /// Sends through `first`, then through `second`.
    pub fn new(first: Arc<dyn Mailer>, second: Arc<dyn Mailer>) -> Self {
        Self { first, second }
    }
}

#[async_trait]
impl Mailer for Tee {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let first = self.first.send(mail).await;
        let second = self.second.send(mail).await;
        first.and(second)
    }
}
