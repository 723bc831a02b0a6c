//! Who takes mail, and whom it is from.

use std::path::PathBuf;

use auth_mail::Sender;
#[cfg(feature = "ses")]
use auth_mail::SesSettings;
#[cfg(feature = "smtp")]
use auth_mail::{SmtpPassword, SmtpSettings, Tls};

use super::reader::Reader;

/// Who takes mail, and whom it is from.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) sender: Sender,
    pub(crate) via: Via,
}

/// Who takes mail.
#[derive(Debug, Clone)]
pub(crate) enum Via {
    /// A server that delivers it.
    #[cfg(feature = "smtp")]
    Smtp(SmtpSettings),
    /// Amazon SES.
    #[cfg(feature = "ses")]
    Ses(SesSettings),
    /// This console, a folder, or both: for development.
    Local { console: bool, folder: Option<PathBuf> },
}

impl Reader {
    /// `None` never: it would be a default of ours that can't be read.
    pub(super) fn mail(&mut self) -> Option<Mail> {
        let from = self.source.take("MAIL_FROM");
        let folder = self.source.take("MAIL_DIR").map_or_else(|| PathBuf::from("mail"), PathBuf::from);
        let mailer = self.source.take("AUTH_MAILER");
        let is_ses = mailer.as_deref() == Some("ses");
        let (smtp, ses) = (self.smtp(), self.ses(is_ses));
        let has_server = self.source.was_given("SMTP_HOST");
        if (has_server || is_ses) && from.is_none() {
            self.mistake("MAIL_FROM is required with SMTP_HOST, and with AUTH_MAILER=ses");
        }
        let via = match (mailer.as_deref(), smtp) {
            (Some("smtp") | None, Some(smtp)) => smtp,
            (Some("ses"), None) if !has_server => ses.unwrap_or(Via::Local { console: true, folder: None }),
            (None, None) if !has_server => Via::Local { console: true, folder: Some(folder) },
            (Some("console"), None) if !has_server => Via::Local { console: true, folder: None },
            (Some("file"), None) if !has_server => Via::Local { console: false, folder: Some(folder) },
            (mailer, _) => {
                match mailer {
                    // What is wrong with that server has been said.
                    Some("smtp") | None if has_server => {}
                    Some("smtp") => self.mistake("AUTH_MAILER=smtp needs SMTP_HOST"),
                    Some("ses" | "console" | "file") => self.mistake("AUTH_MAILER contradicts SMTP_HOST"),
                    _ => self.mistake("AUTH_MAILER must be smtp, ses, file or console"),
                }
                Via::Local { console: true, folder: None }
            }
        };
        Some(Mail { sender: self.sender(from.as_deref())?, via })
    }

    fn sender(&mut self, from: Option<&str>) -> Option<Sender> {
        let sender = from.map(Sender::parse).transpose();
        let sender = sender.unwrap_or_else(|error| {
            self.mistake(format!("MAIL_FROM: {error}"));
            None
        });
        sender.or_else(|| Sender::parse("Portcullis <portcullis@localhost>").ok())
    }

    #[cfg(feature = "smtp")]
    fn smtp(&mut self) -> Option<Via> {
        let host = self.source.take("SMTP_HOST");
        let port = self.parsed("SMTP_PORT", "a port number");
        let login = (self.source.take("SMTP_USER"), self.secret("SMTP_PASS"));
        let tls = self.source.take("SMTP_TLS");
        let Some(host) = host else {
            if port.is_some() || login.0.is_some() || login.1.is_some() || tls.is_some() {
                self.mistake("SMTP_PORT, SMTP_USER, SMTP_PASS and SMTP_TLS mean nothing without SMTP_HOST");
            }
            return None;
        };
        let tls = match tls.as_deref() {
            Some("starttls") | None => Tls::StartTls,
            Some("tls") => Tls::Tls,
            Some("none") => Tls::None,
            Some(_) => {
                self.mistake("SMTP_TLS must be starttls, tls or none");
                Tls::StartTls
            }
        };
        let smtp = SmtpSettings::new(&host, port.unwrap_or(587), tls);
        let smtp = smtp.map_err(|error| self.mistake(format!("SMTP_HOST: {error}"))).ok();
        let smtp = match login {
            (None, None) => smtp,
            (Some(user), Some(mut password)) => {
                smtp.map(|smtp| smtp.login(user, SmtpPassword::new(std::mem::take(&mut *password))))
            }
            _ => {
                self.mistake("SMTP_USER and SMTP_PASS go together");
                smtp
            }
        };
        smtp.map(Via::Smtp)
    }

    #[cfg(not(feature = "smtp"))]
    fn smtp(&mut self) -> Option<Via> {
        let names = ["SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASS", "SMTP_TLS"];
        let given: Vec<&str> = names.into_iter().filter(|name| self.source.take(name).is_some()).collect();
        if !given.is_empty() {
            self.mistake(format!("{}: this build has no SMTP", given.join(", ")));
        }
        None
    }

    /// SES, where `AUTH_MAILER` names it. Region and credentials are AWS's own business.
    #[cfg(feature = "ses")]
    fn ses(&mut self, is_named: bool) -> Option<Via> {
        let set = self.source.take("SES_CONFIGURATION_SET");
        if !is_named {
            if set.is_some() {
                self.mistake("SES_CONFIGURATION_SET means nothing without AUTH_MAILER=ses");
            }
            return None;
        }
        let settings = set.into_iter().try_fold(SesSettings::new(), SesSettings::configuration_set);
        let settings = settings.map_err(|error| self.mistake(format!("SES_CONFIGURATION_SET: {error}")));
        Some(Via::Ses(settings.unwrap_or_default()))
    }

    #[cfg(not(feature = "ses"))]
    fn ses(&mut self, is_named: bool) -> Option<Via> {
        if self.source.take("SES_CONFIGURATION_SET").is_some() || is_named {
            self.mistake("AUTH_MAILER=ses, SES_CONFIGURATION_SET: this build has no SES");
        }
        None
    }
}
