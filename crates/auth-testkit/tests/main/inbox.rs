//! The inbox keeps, refuses and hangs as told; clock and entropy obey.

use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::{Code, Content, Email, Link, Mail, MailKind, Notice, Timestamp};
use auth_core::port::{Clock, Entropy, MailError, Mailer};
use auth_testkit::inbox::{Behaviour, Inbox};
use auth_testkit::{FakeClock, SeededEntropy, given};

fn mail(to: &Email, code: &str) -> Mail {
    let link = Link::new(format!("https://example.com/verify-email?token=t{code}&x=1"));
    let content = Content::Verify { code: Code::parse(code).unwrap(), link };
    Mail { id: given::id(), to: to.clone(), name: None, locale: None, content }
}

#[tokio::test]
async fn last_mail_tells_code_and_link() {
    let (inbox, ann, bob) = (Inbox::new(), given::email(), given::email());
    for (to, code) in [(&ann, "000001"), (&ann, "000002"), (&bob, "000003")] {
        inbox.send(&mail(to, code)).await.unwrap();
    }
    let notice = Content::Notice(Notice::PasswordChanged);
    inbox.send(&Mail { content: notice, ..mail(&ann, "000000") }).await.unwrap();

    assert_eq!(inbox.code(&ann, MailKind::Verify), "000002");
    assert_eq!(inbox.link(&bob, MailKind::Verify), "https://example.com/verify-email?token=t000003&x=1");
    assert_eq!(inbox.token(&bob, MailKind::Verify), "t000003");
    assert_eq!((inbox.mails().len(), inbox.mails_to(&ann).len(), inbox.attempts()), (4, 3, 4));
    inbox.clear();
    assert!(inbox.mails().is_empty());
}

#[tokio::test]
async fn failing_inbox_takes_nothing() {
    let (inbox, ann) = (Inbox::new(), given::email());
    inbox.set(Behaviour::Defer);
    assert!(matches!(inbox.send(&mail(&ann, "123456")).await, Err(MailError::Transient(_))));
    inbox.set(Behaviour::Refuse);
    assert!(matches!(inbox.send(&mail(&ann, "123456")).await, Err(MailError::Permanent(_))));
    inbox.set(Behaviour::Hang);
    let hung = tokio::time::timeout(Duration::from_millis(50), inbox.send(&mail(&ann, "123456"))).await;
    assert!(hung.is_err());
    assert!(inbox.mails().is_empty());
    assert_eq!(inbox.attempts(), 3);
}

#[tokio::test]
async fn waits_for_mail_to_come() {
    let (inbox, ann) = (Arc::new(Inbox::new()), given::email());
    let sender = tokio::spawn({
        let (inbox, ann) = (inbox.clone(), ann.clone());
        async move {
            for code in ["000001", "000002"] {
                tokio::task::yield_now().await;
                inbox.send(&mail(&ann, code)).await.unwrap();
            }
        }
    });
    inbox.wait_for(&ann, MailKind::Verify, 2).await;
    assert_eq!(inbox.code(&ann, MailKind::Verify), "000002");
    inbox.wait_for_attempts(2).await;
    sender.await.unwrap();
}

#[test]
fn clock_moves_when_told() {
    let clock = FakeClock::default();
    assert_eq!(clock.now(), given::NOW);
    clock.advance(given::HOUR);
    assert_eq!(clock.now(), given::NOW + given::HOUR);
    clock.set_back(2 * given::HOUR);
    assert_eq!(clock.now(), given::NOW.before(given::HOUR));
    clock.set(Timestamp::from_micros(7));
    assert_eq!(clock.now().as_micros(), 7);
}

#[test]
fn seed_decides_the_bytes() {
    let bytes = |seed| {
        let (entropy, mut bytes) = (SeededEntropy::new(seed), [0; 8]);
        entropy.fill(&mut bytes[..3]);
        entropy.fill(&mut bytes[3..]);
        bytes
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
    // Snapshots elsewhere depend on these.
    assert_eq!(bytes(0), [127, 111, 44, 178, 63, 42, 187, 123]);
}
