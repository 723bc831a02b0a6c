//! A mailer that has another one to fall back on.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis::domain::Mail;
use portcullis::port::{MailError, Mailer};

/// Sends by the first, and by the second where the first can't for now.
///
/// What the first refuses for good isn't tried again: an address that doesn't exist exists nowhere.
#[derive(Debug)]
pub struct SecondMailer {
    /// Sends, as a rule.
    pub first: Arc<dyn Mailer>,
    /// Sends when the first can't.
    pub second: Arc<dyn Mailer>,
}

#[async_trait]
impl Mailer for SecondMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        match self.first.send(mail).await {
            Err(MailError::Transient(_)) => self.second.send(mail).await,
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis::adapter::SystemEntropy;
    use portcullis::domain::{Content, Email, MailId, Timestamp};
    use portcullis::port::MockMailer;

    use super::*;

    fn mail() -> Mail {
        Mail {
            id: MailId::new(Timestamp::from_micros(0), &SystemEntropy),
            to: Email::parse("ann@example.com").unwrap(),
            name: None,
            locale: None,
            content: Content::Exists,
        }
    }

    /// A mailer that is asked once, and answers so.
    fn answers(answer: fn() -> Result<(), MailError>) -> Arc<MockMailer> {
        let mut mailer = MockMailer::new();
        mailer.expect_send().withf(|mail| mail.to.as_str() == "ann@example.com").once().returning(move |_| answer());
        Arc::new(mailer)
    }

    /// A mailer that must not be asked: a mock without expectations panics when it is.
    fn never() -> Arc<MockMailer> {
        Arc::new(MockMailer::new())
    }

    #[tokio::test]
    async fn the_second_is_left_alone_while_the_first_works() {
        let mailer = SecondMailer { first: answers(|| Ok(())), second: never() };
        assert!(mailer.send(&mail()).await.is_ok());
    }

    #[tokio::test]
    async fn the_second_steps_in() {
        let first = answers(|| Err(MailError::Transient("no connection".into())));
        let mailer = SecondMailer { first, second: answers(|| Ok(())) };
        assert!(mailer.send(&mail()).await.is_ok());
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        let first = answers(|| Err(MailError::Permanent("no such mailbox".into())));
        let mailer = SecondMailer { first, second: never() };
        assert!(matches!(mailer.send(&mail()).await, Err(MailError::Permanent(_))));
    }
}
