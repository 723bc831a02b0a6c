//! Mail onto the screen.

use async_trait::async_trait;
use auth_core::domain::Mail;
use auth_core::port::{MailError, Mailer};
use tokio::io::AsyncWriteExt;

use crate::{Composer, Message};

/// Prints each mail's text part to standard output. For development: the code is on the screen at once.
#[derive(Debug)]
pub struct ConsoleMailer {
    composer: Composer,
}

impl ConsoleMailer {
    /// Prints what `composer` composes.
    pub const fn new(composer: Composer) -> Self {
        Self { composer }
    }
}

#[async_trait]
impl Mailer for ConsoleMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let page = page(&self.composer.compose(mail)?);
        // In one piece, so that mails and log lines don't mingle.
        let mut out = tokio::io::stdout();
        let printed = async { out.write_all(page.as_bytes()).await.and(out.flush().await) };
        printed.await.map_err(|error| MailError::Transient(format!("standard output: {error}")))
    }
}

fn page(message: &Message) -> String {
    let rule = "─".repeat(72);
    let (kind, to, subject) = (message.kind().as_str(), message.to(), message.subject());
    format!("\n{rule}\nMail ({kind}) to {to}: {subject}\n{rule}\n{}\n{rule}\n\n", message.text().trim_end())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use auth_core::domain::{Code, Content, Email, Link, Timestamp};
    use auth_core::port::Clock;

    use super::*;
    use crate::{Sender, Templates};

    #[derive(Debug)]
    struct Epoch;

    impl Clock for Epoch {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(0)
        }
    }

    #[test]
    fn shows_the_code_on_a_line_of_its_own() {
        let sender = Sender::parse("Acme <no-reply@acme.example>").unwrap();
        let mail = Mail {
            id: "01991c2f-0123-7456-8789-0123456789ab".parse().unwrap(),
            to: Email::parse("ann@example.com").unwrap(),
            name: Some("Ann\u{1b}[2J".to_owned()),
            locale: None,
            content: Content::Verify {
                code: Code::parse("012345").unwrap(),
                link: Link::new("https://app.example/verify-email?token=abc".to_owned()),
            },
        };
        let page = page(&Composer::new(sender, Templates::default(), Arc::new(Epoch)).compose(&mail).unwrap());

        assert!(page.contains("Mail (verify) to ann@example.com: Confirm your e-mail address\n"), "{page}");
        assert!(page.lines().any(|line| line == "012345"), "{page}");
        assert!(page.lines().any(|line| line == "https://app.example/verify-email?token=abc"), "{page}");
        // AU3: a name can't paint the terminal.
        assert!(!page.contains('\u{1b}'), "{page:?}");
    }
}
