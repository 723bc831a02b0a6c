//! A mailer that keeps what it is given.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use auth_core::domain::{Content, Email, Mail, MailKind};
use auth_core::port::{MailError, Mailer};
use tokio::sync::watch;

/// Collects mail instead of sending it, or fails to, as a mail server may.
#[derive(Debug)]
pub struct Inbox {
    mails: watch::Sender<Vec<Mail>>,
    behaviour: Mutex<Behaviour>,
    attempts: watch::Sender<usize>,
}

/// What an [`Inbox`] does with mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes it.
    Accept,
    /// Refuses it for now.
    Defer,
    /// Refuses it for good.
    Refuse,
    /// Never answers.
    Hang,
    /// Panics, as code with a mistake in it does.
    Panic,
}

impl Inbox {
    /// An empty inbox that accepts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Behaves so from the next mail on.
    pub fn set(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// All mail that was taken, in order.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.borrow().clone()
    }

    /// The mail that was taken for `to`, in order.
    pub fn mails_to(&self, to: &Email) -> Vec<Mail> {
        self.mails.borrow().iter().filter(|mail| mail.to == *to).cloned().collect()
    }

    /// How often somebody tried to send, whatever came of it.
    pub fn attempts(&self) -> usize {
        *self.attempts.borrow()
    }

    /// Forgets all mail.
    pub fn clear(&self) {
        self.mails.send_replace(Vec::new());
    }

    /// The last mail of that kind to `to`; a panic if there is none.
    pub fn last(&self, to: &Email, kind: MailKind) -> Mail {
        self.find_last(to, kind).unwrap_or_else(|| panic!("no {kind:?} mail for {}", to.as_str()))
    }

    /// The six digits of the last mail of that kind to `to`.
    pub fn code(&self, to: &Email, kind: MailKind) -> String {
        match self.last(to, kind).content {
            Content::Verify { code, .. }
            | Content::Reset { code, .. }
            | Content::ChangeEmail { code, .. }
            | Content::SecondFactor { code }
            | Content::Reauthenticate { code } => code.expose(),
            other => panic!("no code in {other:?}"),
        }
    }

    /// The full link of the last mail of that kind to `to`.
    pub fn link(&self, to: &Email, kind: MailKind) -> String {
        match self.last(to, kind).content {
            Content::Verify { link, .. }
            | Content::Reset { link, .. }
            | Content::ChangeEmail { link, .. }
            | Content::NewDevice { link, .. }
            | Content::UndoEmail { link, .. } => link.expose().to_owned(),
            other => panic!("no link in {other:?}"),
        }
    }

    /// What stands behind `token=` in the link of the last mail of that kind to `to`.
    pub fn token(&self, to: &Email, kind: MailKind) -> String {
        let link = self.link(to, kind);
        let (_, token) = link.split_once("token=").unwrap_or_else(|| panic!("no token in the link"));
        token.split(['&', '#']).next().unwrap_or_default().to_owned()
    }

    /// Waits until `count` mails of that kind were taken for `to`, for at most ten seconds, and returns the last.
    pub async fn wait_for(&self, to: &Email, kind: MailKind, count: usize) -> Mail {
        let mut mails = self.mails.subscribe();
        let matching = |mails: &Vec<Mail>| {
            mails.iter().filter(|mail| mail.to == *to && mail.content.kind() == kind).count() >= count
        };
        let arrived = tokio::time::timeout(Duration::from_secs(10), mails.wait_for(matching)).await;
        assert!(arrived.is_ok(), "{count} {kind:?} mails for {} didn't come: {:?}", to.as_str(), self.mails());
        drop(arrived);
        self.last(to, kind)
    }

    /// Waits until somebody has tried to send `count` times in all, for at most ten seconds.
    pub async fn wait_for_attempts(&self, count: usize) {
        let mut attempts = self.attempts.subscribe();
        let reached = tokio::time::timeout(Duration::from_secs(10), attempts.wait_for(|tried| *tried >= count)).await;
        assert!(reached.is_ok(), "{count} attempts expected, not {}", self.attempts());
    }

    fn find_last(&self, to: &Email, kind: MailKind) -> Option<Mail> {
        self.mails.borrow().iter().rev().find(|mail| mail.to == *to && mail.content.kind() == kind).cloned()
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            mails: watch::Sender::new(Vec::new()),
            behaviour: Mutex::new(Behaviour::Accept),
            attempts: watch::Sender::new(0),
        }
    }
}

#[async_trait]
impl Mailer for Inbox {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let behaviour = *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner);
        self.attempts.send_modify(|attempts| *attempts += 1);
        match behaviour {
            Behaviour::Accept => {
                self.mails.send_modify(|mails| mails.push(mail.clone()));
                Ok(())
            }
            Behaviour::Defer => Err(MailError::Transient("the inbox defers".into())),
            Behaviour::Refuse => Err(MailError::Permanent("the inbox refuses".into())),
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Panic => panic!("the mailer panics, as the check told it to"),
        }
    }
}
