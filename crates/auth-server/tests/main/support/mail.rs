//! Mail that arrived.

use std::fs;
use std::path::PathBuf;

use mailparse::MailHeaderMap;

use super::eventually;
use super::smtp::Smtp;

/// Where mail arrives.
#[derive(Debug, Clone)]
pub(crate) enum Inbox {
    /// A folder with a file for each mail: the server's own, or the `new` of a Maildir.
    Folder(PathBuf),
    /// A mail server of ours.
    Smtp(Smtp),
}

/// A mail as its recipient reads it.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) kind: String,
    text: String,
}

impl Inbox {
    /// All mail that is there.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let raw = match self {
            Self::Smtp(server) => server.received(),
            Self::Folder(folder) => fs::read_dir(folder)
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap())
                // What is still being written begins with a dot, and may be gone again by now.
                .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
                .map(|entry| fs::read(entry.path()).unwrap())
                .collect(),
        };
        raw.iter().map(|raw| Mail::parse(raw)).collect()
    }

    /// The mails of that kind to somebody.
    pub(crate) fn mails_to(&self, to: &str, kind: &str) -> Vec<Mail> {
        self.mails().into_iter().filter(|mail| mail.to == to && mail.kind == kind).collect()
    }

    /// Waits for the first mail of that kind to somebody.
    pub(crate) async fn wait_for(&self, to: &str, kind: &str) -> Mail {
        eventually(&format!("mail ({kind}) for {to}"), async || self.mails_to(to, kind).pop()).await
    }
}

impl Mail {
    fn parse(raw: &[u8]) -> Self {
        let mail = mailparse::parse_mail(raw).unwrap();
        let header = |name| mail.headers.get_first_value(name).unwrap_or_else(|| panic!("a mail without {name}"));
        Self { to: header("To"), kind: header("X-Auth-Mail"), text: mail.subparts[0].get_body().unwrap() }
    }

    /// The six digits that stand alone on a line.
    pub(crate) fn code(&self) -> String {
        self.line(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The secret in the link.
    pub(crate) fn token(&self) -> String {
        let link = self.line(|line| line.starts_with("http"));
        link.split_once("?token=").unwrap_or_else(|| panic!("no token in {link}")).1.to_owned()
    }

    fn line(&self, is_it: impl Fn(&str) -> bool) -> String {
        self.text.lines().map(str::trim).find(|line| is_it(line)).unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}
