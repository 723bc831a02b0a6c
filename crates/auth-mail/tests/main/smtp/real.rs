//! Against a real SMTP server that keeps its mail in a Maildir: `PORTCULLIS_TEST_SMTP` (`smtp://127.0.0.1:PORT`) and
//! `PORTCULLIS_TEST_MAILDIR` name it, and `PORTCULLIS_SKIP=smtp` leaves these tests out.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_core::domain::{Mail, Notice};
use auth_core::port::Mailer;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;

use super::mailer;
use crate::given::{CODE, LINK, addressed, header, notice, parts, reset};

struct Server {
    address: SocketAddr,
    maildir: PathBuf,
}

/// The server, or `None` when it is to be skipped.
fn server() -> Option<Server> {
    if env::var("PORTCULLIS_SKIP").is_ok_and(|skipped| skipped.split(',').any(|name| name.trim() == "smtp")) {
        return None;
    }
    let variable = |name: &str| {
        env::var(name)
            .unwrap_or_else(|_| panic!("{name} isn't set: run `cargo xtask test`, or set PORTCULLIS_SKIP=smtp"))
    };
    let url = variable("PORTCULLIS_TEST_SMTP");
    let address = url.strip_prefix("smtp://").and_then(|address| address.parse().ok());
    Some(Server {
        address: address.unwrap_or_else(|| panic!("PORTCULLIS_TEST_SMTP isn't smtp://ADDRESS:PORT: {url}")),
        maildir: variable("PORTCULLIS_TEST_MAILDIR").into(),
    })
}

impl Server {
    /// What arrived for `to`.
    fn received(&self, to: &str) -> Vec<Vec<u8>> {
        let files = fs::read_dir(self.maildir.join("new")).unwrap();
        files
            .map(|file| fs::read(file.unwrap().path()).unwrap())
            .filter(|message| header(message, "To").iter().any(|value| value == to))
            .collect()
    }

    /// `aiosmtpd 1.4.3`, from the greeting `220 host Python SMTP 1.4.3`.
    async fn version(&self) -> String {
        let mut greeting = String::new();
        let stream = TcpStream::connect(self.address).await.unwrap();
        BufReader::new(stream).read_line(&mut greeting).await.unwrap();
        match greeting.trim().split_once("Python SMTP ") {
            Some((_, version)) => format!("aiosmtpd {version}"),
            None => greeting.trim().to_owned(),
        }
    }
}

/// An address that no other test and no earlier run has used.
fn fresh(name: &str) -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("{name}-{nanos}@example.com")
}

// EM1: each mail reaches the one recipient it is for, once.
#[tokio::test]
async fn em1_each_mail_arrives_once_with_its_one_recipient() {
    let Some(server) = server() else { return };
    let mailer = mailer(server.address.port());
    let (ann, bob) = (fresh("ann"), fresh("bob"));
    mailer.send(&Mail { content: reset(), ..addressed(&ann) }).await.unwrap();
    mailer.send(&Mail { content: notice(Notice::PasswordReset), ..addressed(&bob) }).await.unwrap();

    for (to, kind) in [(&ann, "reset"), (&bob, "notice")] {
        let received = server.received(to);
        assert_eq!(received.len(), 1, "{to}");
        assert_eq!(header(&received[0], "X-RcptTo"), [to.as_str()]);
        assert_eq!(header(&received[0], "X-MailFrom"), ["no-reply@acme.example"]);
        assert_eq!(header(&received[0], "X-Auth-Mail"), [kind]);
    }
    if let Ok(report) = env::var("PORTCULLIS_SUITE_REPORT") {
        let mut report = OpenOptions::new().append(true).create(true).open(report).unwrap();
        writeln!(report, "mail\tsmtp\t{}", server.version().await).unwrap();
    }
}

#[tokio::test]
async fn code_and_link_arrive_intact() {
    let Some(server) = server() else { return };
    let to = fresh("ann");
    for name in ["Ann", "Żaneta", ".", "From Ann"] {
        mailer(server.address.port()).send(&Mail { name: Some(name.to_owned()), ..addressed(&to) }).await.unwrap();
    }
    let received = server.received(&to);
    assert_eq!(received.len(), 4);
    for message in received {
        let (text, html) = parts(&message);
        assert!(text.lines().any(|line| line == CODE), "{text}");
        assert!(text.lines().any(|line| line == LINK), "{text}");
        assert!(html.contains("Confirm your e-mail address"), "{html}");
    }
}

#[tokio::test]
async fn many_at_once_all_arrive() {
    let Some(server) = server() else { return };
    let mailer = Arc::new(mailer(server.address.port()));
    let to = fresh("ann");
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let (mailer, to) = (mailer.clone(), to.clone());
            tokio::spawn(async move { mailer.send(&addressed(&to)).await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert_eq!(server.received(&to).len(), 20);
}
