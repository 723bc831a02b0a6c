//! Mailers for Portcullis: SMTP, Amazon SES, file and console.
//!
//! The core says *what* to tell ([`Mail`](auth_core::domain::Mail)); this crate puts it into words and hands it over.
//!
//! | mailer | for |
//! |---|---|
//! | [`SmtpMailer`] (feature `smtp`, on by default) | production: any SMTP server, by TLS or STARTTLS |
#![cfg_attr(feature = "ses", doc = "| [`SesMailer`] (feature `ses`) | production: Amazon SES, through its API |")]
#![cfg_attr(not(feature = "ses"), doc = "| `SesMailer` (feature `ses`) | production: Amazon SES, through its API |")]
//! | [`FileMailer`] | development and tests: a folder of `.eml` files |
//! | [`ConsoleMailer`] | development: the code on the screen at once |
//! | [`Tee`] | two of them, such as console and folder |
//!
//! Each is given a [`Composer`]: who sends ([`Sender`]), the words ([`Templates`]) and a clock.
//!
//! ```
//! use std::sync::Arc;
//!
//! use auth_core::domain::{Code, Content, Email, Link, Mail, Timestamp};
//! use auth_core::port::{Clock, Mailer};
//! use auth_mail::{Composer, ConsoleMailer, FileMailer, Sender, Tee, Templates};
//!
//! # #[derive(Debug)]
//! # struct Launch;
//! # impl Clock for Launch {
//! #     fn now(&self) -> Timestamp {
//! #         Timestamp::from_seconds(1_795_170_660)
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let clock = Arc::new(Launch);
//! # let folder = tempfile::tempdir()?;
//! let sender = Sender::parse("Acme <no-reply@acme.example>")?;
//! let composer = Composer::new(sender, Templates::default(), clock);
//! let console = ConsoleMailer::new(composer.clone());
//! let files = FileMailer::new(folder.path(), composer)?;
//! let mailer = Tee::new(Arc::new(console), Arc::new(files));
//!
//! let mail = Mail {
//!     id: "01991c2f-0123-7456-8789-0123456789ab".parse()?,
//!     to: Email::parse("ann@example.com")?,
//!     name: Some("Ann".to_owned()),
//!     locale: Some("en-GB".to_owned()),
//!     content: Content::Verify {
//!         code: Code::parse("012345").ok_or("six digits")?,
//!         link: Link::new("https://app.acme.example/verify-email?token=AbC".to_owned()),
//!     },
//! };
//! mailer.send(&mail).await?;
//!
//! let file = std::fs::read_dir(folder.path())?.next().ok_or("a mail")??;
//! assert!(std::fs::read_to_string(file.path())?.contains("\r\n012345\r\n"));
//! # Ok(())
//! # }
//! ```
//!
//! # In production
#![cfg_attr(feature = "smtp", doc = "```no_run")]
#![cfg_attr(not(feature = "smtp"), doc = "```ignore")]
//! # fn mailer(composer: auth_mail::Composer, password: String) -> Result<(), Box<dyn std::error::Error>> {
//! use auth_mail::{SmtpMailer, SmtpPassword, SmtpSettings, Tls};
//!
//! let settings = SmtpSettings::new("smtp.acme.example", 465, Tls::Tls)?
//!     .login("portcullis", SmtpPassword::new(password));
//! let mailer = SmtpMailer::new(settings, composer)?;
//! # Ok(())
//! # }
//! ```
//! On AWS, with the rights of the machine's or container's role and no password anywhere:
#![cfg_attr(feature = "ses", doc = "```no_run")]
#![cfg_attr(not(feature = "ses"), doc = "```ignore")]
//! # async fn mailer(composer: auth_mail::Composer) -> Result<(), Box<dyn std::error::Error>> {
//! use auth_mail::{SesMailer, SesSettings};
//!
//! let settings = SesSettings::new().configuration_set("portcullis")?;
//! let mailer = SesMailer::new(settings, composer).await?;
//! # Ok(())
//! # }
//! ```
//! Flows never wait for it: they enqueue mail in the outbox, and a worker sends it, again and again where the answer is
//! [`Transient`](auth_core::port::MailError::Transient).
//!
//! # What a mail looks like
//! - One recipient. A text part and an HTML part; no images, no tracking.
//! - The header `X-Auth-Mail` names its [kind](auth_core::domain::MailKind), `Auto-Submitted: auto-generated` keeps
//!   holiday notes away, and the `Message-ID` stays the same when a mail is sent again.
//! - In the text part, the code and the link each stand alone on a line, the code first, and no other six digits stand
//!   together. Lines aren't wrapped.
//! - The reader's name is a stranger's text until the address is verified, and what a device is called always is. Both are
//!   escaped, kept on their line, stripped of what is invisible or changes direction, and can't become a link or a code.
//!
//! # In your own words
//! Templates are replaced per mail and language, and tried out at once: one that loses the code is an error at start.
//! ```
//! use auth_mail::{Template, Templates, Words};
//!
//! let templates = Templates::default().with(Template::Verify, "de", Words {
//!     subject: "Bitte bestätige deine E-Mail-Adresse",
//!     text: "Hallo {{ name }},\n\ndein Code für {{ app }}:\n\n{{ code }}\n\nOder öffne\n\n{{ link }}\n",
//!     html: r#"{% extends "layout.html" %}{% block body %}
//!         <p>Dein Code: <b>{{ code }}</b>, oder <a href="{{ link }}">öffne diesen Link</a>.</p>
//!     {% endblock %}"#,
//! })?;
//! # Ok::<(), auth_mail::InvalidTemplate>(())
//! ```
//!
//! # By your own means
//! Any [`Mailer`](auth_core::port::Mailer) will do. All it needs is in the [`Mail`](auth_core::domain::Mail), or in the
//! [`Message`] that [`Composer::compose`] makes of it.
//! ```
//! use async_trait::async_trait;
//! use auth_core::domain::Mail;
//! use auth_core::port::{MailError, Mailer};
//! use auth_mail::Composer;
//!
//! # #[derive(Debug)]
//! # struct Api;
//! # impl Api {
//! #     async fn post(&self, _to: &str, _subject: &str, _text: &str, _html: &str) -> Result<u16, std::io::Error> {
//! #         Ok(202)
//! #     }
//! # }
//! /// Hands mail to the API of some mail service.
//! #[derive(Debug)]
//! struct ApiMailer {
//!     composer: Composer,
//!     api: Api,
//! }
//!
//! #[async_trait]
//! impl Mailer for ApiMailer {
//!     async fn send(&self, mail: &Mail) -> Result<(), MailError> {
//!         let message = self.composer.compose(mail)?;
//!         let posted = self.api.post(message.to(), message.subject(), message.text(), message.html()).await;
//!         match posted.map_err(|error| MailError::Transient(error.to_string()))? {
//!             200..300 => Ok(()),
//!             // This mail will never be taken. A wrong key (401, 403) is no such thing: that is mended, and mail must
//!             // not be lost over it.
//!             status @ (400 | 422) => Err(MailError::Permanent(format!("status {status}"))),
//!             status => Err(MailError::Transient(format!("status {status}"))),
//!         }
//!     }
//! }
//! ```
//! Answer within 20 s: the outbox waits no longer. Keep codes and links out of your logs.
//!
//! Don't switch on lettre's feature `tracing` in your application: it logs passwords, codes and links.

mod console;
mod file;
mod message;
mod plain;
#[cfg(any(feature = "smtp", feature = "ses"))]
mod reason;
mod sender;
#[cfg(feature = "ses")]
mod ses;
#[cfg(feature = "smtp")]
mod smtp;
mod tee;
mod templates;

pub use console::ConsoleMailer;
pub use file::FileMailer;
pub use message::{Composer, Message};
pub use sender::{InvalidSender, Sender};
#[cfg(feature = "ses")]
pub use ses::{InvalidSesSettings, SesMailer, SesSecretKey, SesSettings};
#[cfg(feature = "smtp")]
pub use smtp::{InvalidSmtpSettings, SmtpMailer, SmtpPassword, SmtpSettings, Tls};
pub use tee::Tee;
pub use templates::{InvalidTemplate, Template, Templates, Words};
