//! What the mailer does with whatever a server may say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_core::port::{MailError, Mailer};
use auth_mail::{SmtpPassword, SmtpSettings, Tls};
use tokio::net::TcpListener;

use super::server::{HANG, HANG_UP, Script, Scripted};
use super::{mailer, mailer_with};
use crate::given::{CODE, addressed, mail, named, verify};

async fn sent(script: Script) -> (Result<(), MailError>, Scripted) {
    let server = Scripted::start(script).await;
    (mailer(server.port).send(&mail(verify())).await, server)
}

// EM1: the transcript of a mail has one sender and one recipient.
#[tokio::test]
async fn em1_one_recipient_on_the_wire() {
    let (outcome, server) = sent(&[]).await;
    outcome.unwrap();
    let envelope: Vec<_> = server
        .heard()
        .into_iter()
        .filter(|line| ["connection", "EHLO", "MAIL", "RCPT", "DATA", "."].iter().any(|verb| line.starts_with(verb)))
        .collect();
    let expected = [
        "connection",
        "EHLO acme.example",
        "MAIL FROM:<no-reply@acme.example>",
        "RCPT TO:<ann@example.com>",
        "DATA",
        ".",
    ];
    assert_eq!(envelope, expected);
}

// EM1: a line of a mail that looks like the end of it, or like a command, stays a line of the mail.
#[tokio::test]
async fn em1_names_do_not_reach_the_conversation() {
    let server = Scripted::start(&[]).await;
    let name = "Ann\r\n.\r\nMAIL FROM:<eve@example.com>\r\nRCPT TO:<eve@example.com>";
    mailer(server.port).send(&named(name)).await.unwrap();
    assert_eq!((server.count("MAIL FROM"), server.count("RCPT TO"), server.count("RCPT TO:<ann@")), (1, 1, 1));
}

#[tokio::test]
async fn a_check_says_hello_and_sends_nothing() {
    let server = Scripted::start(&[]).await;
    mailer(server.port).check().await.unwrap();
    assert_eq!((server.count("EHLO"), server.count("MAIL")), (1, 0));

    let server = Scripted::start(&[("EHLO", "554 go away\r\n")]).await;
    let refusal = mailer(server.port).check().await.unwrap_err().to_string();
    assert!(refusal.contains("go away"), "{refusal}");
    let server = Scripted::start(&[("EHLO", HANG)]).await;
    let settings = SmtpSettings::new("127.0.0.1", server.port, Tls::None).unwrap();
    let mailer = mailer_with(settings.timeout(Duration::from_millis(100)).unwrap());
    mailer.check().await.unwrap_err();
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Scripted::start(&[]).await;
    let mailer = mailer(server.port);
    for to in ["ann@example.com", "bob@example.com", "eve@example.com"] {
        mailer.send(&addressed(to)).await.unwrap();
    }
    assert_eq!((server.count("connection"), server.count("RCPT TO"), server.count("NOOP")), (1, 3, 2));
}

// Servers limit connections: a burst of mail must not run into that.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_shares_four_connections() {
    let server = Scripted::start(&[]).await;
    let mailer = Arc::new(mailer(server.port));
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let mailer = mailer.clone();
            tokio::spawn(async move { mailer.send(&addressed("ann@example.com")).await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert_eq!(server.count("RCPT TO"), 20);
    assert!((1..=4).contains(&server.count("connection")), "{}", server.count("connection"));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let server = Scripted::start(&[("NOOP", HANG_UP)]).await;
    let mailer = mailer(server.port);
    mailer.send(&addressed("ann@example.com")).await.unwrap();
    mailer.send(&addressed("bob@example.com")).await.unwrap();
    assert_eq!((server.count("connection"), server.count("RCPT TO")), (2, 2));
}

#[tokio::test]
async fn refusals_of_this_mail_are_permanent() {
    const RECIPIENT: Script = &[("RCPT", "550 5.1.1 no such mailbox\r\n")];
    const DATA: Script = &[("DATA", "554 5.5.1 no valid recipients\r\n")];
    const SPAM: Script = &[(".", "554 5.7.1 we don't like it\r\n")];
    const CONTENT: Script = &[(".", "552 5.2.2 mailbox full\r\n")];
    for script in [RECIPIENT, DATA, SPAM, CONTENT] {
        let (outcome, _) = sent(script).await;
        assert!(matches!(outcome, Err(MailError::Permanent(_))), "{script:?}: {outcome:?}");
    }
    let (outcome, _) = sent(RECIPIENT).await;
    let reason = outcome.unwrap_err().to_string();
    assert!(reason.contains("550") && reason.contains("5.1.1 no such mailbox"), "{reason}");
}

#[tokio::test]
async fn what_may_pass_is_transient() {
    const CASES: &[Script] = &[
        &[("connection", "554 5.7.1 not today\r\n")],
        &[("connection", "421 too busy\r\n")],
        &[("connection", "HTTP/1.1 400 Bad Request\r\n")],
        &[("connection", HANG_UP)],
        &[("EHLO", "502 what\r\n")],
        &[("MAIL", "450 4.7.1 greylisted\r\n")],
        // The sender is our own setting.
        &[("MAIL", "553 5.7.1 sender rejected\r\n")],
        &[("RCPT", "450 4.2.1 mailbox busy\r\n")],
        &[("RCPT", "530 authentication required\r\n")],
        &[("RCPT", "554 5.7.1 <ann@example.com>: Relay access denied\r\n")],
        &[("RCPT", HANG_UP)],
        &[("DATA", "451 local error\r\n")],
        &[(".", "452 4.3.1 disk full\r\n")],
        &[(".", HANG_UP)],
    ];
    for script in CASES {
        let (outcome, _) = sent(script).await;
        assert!(matches!(outcome, Err(MailError::Transient(_))), "{script:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_transient() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert!(matches!(mailer(port).send(&mail(verify())).await, Err(MailError::Transient(_))));
}

#[tokio::test]
async fn a_refused_password_costs_no_mail_and_does_not_print() {
    let server = Scripted::start(&[("AUTH", "535 5.7.8 no, ann@example.com\r\n")]).await;
    let settings = SmtpSettings::new("127.0.0.1", server.port, Tls::None).unwrap();
    let mailer = mailer_with(settings.login("ann", SmtpPassword::new("hunter2".to_owned())));

    let reason = match mailer.send(&mail(verify())).await {
        Err(MailError::Transient(reason)) => reason,
        outcome => panic!("{outcome:?}"),
    };
    assert!(reason.contains("535") && reason.contains("5.7.8"), "{reason}");
    assert!(!reason.contains("ann@"), "{reason}");
    assert!(!format!("{mailer:?}").contains("hunter2"));
    assert_eq!((server.count("AUTH PLAIN"), server.count("MAIL")), (1, 0));
}

// AU2: what a server quotes of the mail doesn't reach the log through the error.
#[tokio::test]
async fn au2_reasons_quote_no_secrets() {
    const QUOTING: Script = &[(
        ".",
        "554-5.7.1 blocked https://app.acme.example/verify-email?token=Zr3_0u654321-CfGdLkmPqVsNtYwXbHjK8x2-A9e\r\n\
         554 5.7.1 code 042137 token=Zr3_0u654321-CfGdLkmPqVsNtYwXbHjK8x2-A9e \x1b[2J\r\n",
    )];
    let (outcome, _) = sent(QUOTING).await;
    let reason = outcome.unwrap_err().to_string();
    assert!(reason.contains("554") && reason.contains("blocked"), "{reason}");
    for secret in [CODE, "Zr3_", "app.acme.example", "\u{1b}"] {
        assert!(!reason.contains(secret), "{reason}");
    }
}

// DF3: a hung server holds nobody up, wherever it hangs.
#[tokio::test]
async fn df3_a_hung_server_is_transient_in_time() {
    const CASES: &[Script] = &[
        &[("connection", HANG)],
        &[("EHLO", HANG)],
        &[("MAIL", HANG)],
        &[("RCPT", HANG)],
        &[("DATA", HANG)],
        &[(".", HANG)],
    ];
    for script in CASES {
        let server = Scripted::start(script).await;
        let settings = SmtpSettings::new("127.0.0.1", server.port, Tls::None).unwrap();
        let mailer = mailer_with(settings.timeout(Duration::from_millis(300)).unwrap());
        let start = Instant::now();
        let outcome = mailer.send(&mail(verify())).await;
        assert!(matches!(outcome, Err(MailError::Transient(_))), "{script:?}: {outcome:?}");
        assert!(start.elapsed() < Duration::from_secs(2), "{script:?}: {:?}", start.elapsed());
    }
    assert!(SmtpSettings::DEFAULT_TIMEOUT <= Duration::from_secs(10));
}

// DF3, DF7: a listener whose backlog takes connections that nobody ever accepts.
#[tokio::test]
async fn df3_a_listener_that_never_accepts_is_transient_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for tls in [Tls::None, Tls::StartTls, Tls::Tls] {
        let settings = SmtpSettings::new("127.0.0.1", listener.local_addr().unwrap().port(), tls).unwrap();
        let mailer = mailer_with(settings.timeout(Duration::from_millis(300)).unwrap());
        assert!(matches!(mailer.send(&mail(verify())).await, Err(MailError::Transient(_))), "{tls:?}");
    }
}

// DF7: a connection that still owed a reply when its mail timed out is never used again, or the next mail would take the
// late "250 ok" for its own.
#[tokio::test]
async fn df7_late_replies_are_not_taken_for_the_next_mails() {
    let server = Scripted::start(&[("RCPT TO:<slow@", HANG)]).await;
    let settings = SmtpSettings::new("127.0.0.1", server.port, Tls::None).unwrap();
    let mailer = mailer_with(settings.timeout(Duration::from_millis(300)).unwrap());

    mailer.send(&addressed("ann@example.com")).await.unwrap();
    assert!(mailer.send(&addressed("slow@example.com")).await.is_err());
    mailer.send(&addressed("bob@example.com")).await.unwrap();
    assert_eq!(server.count("connection"), 2);
    let last = server.heard().iter().rposition(|line| line == "connection").unwrap();
    assert_eq!(server.heard()[last..].iter().filter(|line| line.starts_with("RCPT TO:<bob@")).count(), 1);
}

#[tokio::test]
async fn addresses_beyond_ascii_need_smtputf8() {
    const EAI: Script = &[("EHLO", "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")];
    let server = Scripted::start(EAI).await;
    mailer(server.port).send(&addressed("josé@example.com")).await.unwrap();
    assert_eq!(server.count("MAIL FROM:<no-reply@acme.example> SMTPUTF8 BODY=8BITMIME"), 1);
    assert_eq!(server.count("RCPT TO:<josé@example.com>"), 1);

    let server = Scripted::start(&[]).await;
    let outcome = mailer(server.port).send(&addressed("josé@example.com")).await;
    assert!(matches!(&outcome, Err(MailError::Permanent(reason)) if reason.contains("SMTPUTF8")), "{outcome:?}");
    assert_eq!(server.count("MAIL"), 0);
}
