//! Protected connections: to a server that proves who it is, or not at all.

use std::env;
use std::process::Command;

use auth_core::port::{MailError, Mailer};
use auth_mail::{SmtpPassword, SmtpSettings, Tls};

use super::mailer_with;
use super::server::{Protection, Script, Scripted};
use crate::authority::certificate;
use crate::given::{mail, verify};

const OFFERS: Script = &[("EHLO", "250-test\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n")];

fn settings(host: &str, port: u16, tls: Tls) -> SmtpSettings {
    let settings = SmtpSettings::new(host, port, tls).unwrap();
    settings.login("ann", SmtpPassword::new("hunter2".to_owned()))
}

#[tokio::test]
async fn where_starttls_is_not_offered_nothing_is_sent() {
    let server = Scripted::start(&[]).await;
    let settings = SmtpSettings::new("127.0.0.1", server.port, Tls::StartTls).unwrap();
    let mailer = mailer_with(settings.login("ann", SmtpPassword::new("hunter2".to_owned())));
    let outcome = mailer.send(&mail(verify())).await;
    assert!(matches!(&outcome, Err(MailError::Transient(reason)) if reason.contains("STARTTLS")), "{outcome:?}");
    assert!(!server.has_heard_secrets() && server.count("MAIL") == 0, "{:?}", server.heard());
}

#[tokio::test]
async fn where_tls_fails_nothing_is_sent() {
    const OFFERED: Script =
        &[("EHLO", "250-test\r\n250 STARTTLS\r\n"), ("STARTTLS", "220 go on\r\nnot TLS at all\r\n")];
    const REFUSED: Script = &[("EHLO", "250-test\r\n250 STARTTLS\r\n"), ("STARTTLS", "554 no\r\n")];
    for (script, tls) in [(OFFERED, Tls::StartTls), (REFUSED, Tls::StartTls), (&[], Tls::Tls)] {
        let server = Scripted::start(script).await;
        let settings = SmtpSettings::new("127.0.0.1", server.port, tls).unwrap();
        let mailer = mailer_with(settings.login("ann", SmtpPassword::new("hunter2".to_owned())));
        let outcome = mailer.send(&mail(verify())).await;
        assert!(matches!(outcome, Err(MailError::Transient(_))), "{tls:?}: {outcome:?}");
        assert!(!server.has_heard_secrets() && server.count("MAIL") == 0, "{:?}", server.heard());
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_costs_no_mail_and_no_password() {
    let (acceptor, _) = certificate();
    let cases = [(Protection::StartTls(acceptor.clone()), Tls::StartTls), (Protection::Tls(acceptor), Tls::Tls)];
    for (protection, tls) in cases {
        let server = Scripted::start_with(OFFERS, protection).await;
        let outcome = mailer_with(settings("localhost", server.port, tls)).send(&mail(verify())).await;
        assert!(matches!(&outcome, Err(MailError::Transient(reason)) if reason.contains("certificate")), "{outcome:?}");
        assert!(!server.has_heard_secrets() && server.count("MAIL") == 0, "{:?}", server.heard());
    }
}

/// The system's roots are read from `SSL_CERT_FILE`, so the sending is done by this test run again as a child.
#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_server_gets_password_and_mail_under_tls_only() {
    if let Ok(case) = env::var("AUTH_MAIL_TLS_CASE") {
        let (host, port, tls) = match case.split(' ').collect::<Vec<_>>()[..] {
            [host, port, "starttls"] => (host, port, Tls::StartTls),
            [host, port, _] => (host, port, Tls::Tls),
            _ => panic!("{case}"),
        };
        return mailer_with(settings(host, port.parse().unwrap(), tls)).send(&mail(verify())).await.unwrap();
    }
    let (acceptor, authority) = certificate();
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority).unwrap();
    let send = |case: String| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "smtp::tls::a_trusted_server_gets_password_and_mail_under_tls_only"]);
        child.env("SSL_CERT_FILE", &roots).env_remove("SSL_CERT_DIR").env("AUTH_MAIL_TLS_CASE", case);
        async { tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap().status.success() }
    };
    for (protection, tls) in
        [(Protection::StartTls(acceptor.clone()), "starttls"), (Protection::Tls(acceptor.clone()), "tls")]
    {
        let server = Scripted::start_with(OFFERS, protection.clone()).await;
        assert!(send(format!("localhost {} {tls}", server.port)).await, "{:?}", server.heard());
        let heard = server.heard();
        let protected = heard.iter().position(|line| line == "protected").unwrap();
        for verb in ["AUTH", "MAIL", "RCPT"] {
            assert!(heard.iter().position(|line| line.starts_with(verb)).unwrap() > protected, "{heard:?}");
        }
        // The certificate is for another name than this.
        let server = Scripted::start_with(OFFERS, protection).await;
        assert!(!send(format!("127.0.0.1 {} {tls}", server.port)).await);
        assert!(!server.has_heard_secrets(), "{:?}", server.heard());
    }
}
