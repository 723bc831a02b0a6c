//! Against an SES endpoint of somebody else's making, moto's server: `PORTCULLIS_TEST_SES` (`http://127.0.0.1:PORT`) names
//! it, and `PORTCULLIS_SKIP=ses` leaves these tests out.
//!
//! What is looked at is what that server recorded of the requests it received.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_core::domain::{Mail, Notice};
use auth_core::port::{MailError, Mailer};
use auth_mail::{Composer, Sender, SesMailer, Templates};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{mailer, settings};
use crate::given::{CODE, LINK, Still, addressed, header, notice, parts, reset};

struct Moto {
    url: String,
}

/// The server, with our sender verified, or `None` when it is to be skipped.
async fn moto() -> Option<Moto> {
    if env::var("PORTCULLIS_SKIP").is_ok_and(|skipped| skipped.split(',').any(|name| name.trim() == "ses")) {
        return None;
    }
    let url = env::var("PORTCULLIS_TEST_SES").unwrap_or_else(|_| {
        panic!("PORTCULLIS_TEST_SES isn't set: run `cargo xtask test`, or set PORTCULLIS_SKIP=ses")
    });
    let moto = Moto { url };
    moto.ask("POST", "/moto-api/recorder/start-recording", "").await;
    moto.ask("POST", "/v2/email/identities", &json!({ "EmailIdentity": "acme.example" }).to_string()).await;
    Some(moto)
}

impl Moto {
    /// The bodies of all requests to send something to `to`.
    async fn received(&self, to: &str) -> Vec<Value> {
        let recording = self.ask("GET", "/moto-api/recorder/download-recording", "").await;
        let requests = recording.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        requests
            .filter(|request| request["url"].as_str().is_some_and(|url| url.ends_with("/v2/email/outbound-emails")))
            .map(|request| serde_json::from_slice(&decoded(&request["body"])).unwrap())
            .filter(|body: &Value| body["Destination"]["ToAddresses"][0] == to)
            .collect()
    }

    /// The body of its answer.
    async fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-central-1/ses/aws4_request, \
             SignedHeaders=host, Signature=0\r\n\r\n{body}",
            body.len(),
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

fn decoded(text: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
}

/// An address that no other test and no earlier run has used.
fn fresh(name: &str) -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("{name}-{nanos}@example.com")
}

// EM1: each mail reaches the one recipient it is for, once.
#[tokio::test]
async fn em1_each_mail_arrives_once_with_its_one_recipient() {
    let Some(moto) = moto().await else { return };
    let mailer = mailer(settings(&moto.url).configuration_set("portcullis").unwrap()).await;
    let (ann, bob) = (fresh("ann"), fresh("bob"));
    mailer.send(&Mail { content: reset(), ..addressed(&ann) }).await.unwrap();
    mailer.send(&Mail { content: notice(Notice::PasswordReset), ..addressed(&bob) }).await.unwrap();

    for (to, kind) in [(&ann, "reset"), (&bob, "notice")] {
        let received = moto.received(to).await;
        let [request] = &received[..] else { panic!("{to}: {received:?}") };
        assert_eq!(request["FromEmailAddress"], "no-reply@acme.example");
        assert_eq!(request["Destination"], json!({ "ToAddresses": [to] }));
        assert_eq!(request["ConfigurationSetName"], "portcullis");
        let message = decoded(&request["Content"]["Raw"]["Data"]);
        assert_eq!(header(&message, "To"), [to.as_str()]);
        assert_eq!(header(&message, "X-Auth-Mail"), [kind]);
        assert_eq!(header(&message, "Message-ID"), ["<0199-1c2f-0123-7456-8789-0123-4567-8901@acme.example>"]);
    }
    if let Ok(report) = env::var("PORTCULLIS_SUITE_REPORT") {
        let version = env::var("PORTCULLIS_TEST_SES_VERSION").unwrap_or_else(|_| "unknown".to_owned());
        let mut report = OpenOptions::new().append(true).create(true).open(report).unwrap();
        writeln!(report, "mail\tses\t{version}").unwrap();
    }
}

#[tokio::test]
async fn code_and_link_arrive_intact() {
    let Some(moto) = moto().await else { return };
    let mailer = mailer(settings(&moto.url)).await;
    let to = fresh("ann");
    for name in ["Ann", "Żaneta", ".", "From Ann"] {
        mailer.send(&Mail { name: Some(name.to_owned()), ..addressed(&to) }).await.unwrap();
    }
    let received = moto.received(&to).await;
    assert_eq!(received.len(), 4);
    for request in received {
        assert_eq!(request.get("ConfigurationSetName"), None);
        let (text, html) = parts(&decoded(&request["Content"]["Raw"]["Data"]));
        assert!(text.lines().any(|line| line == CODE), "{text}");
        assert!(text.lines().any(|line| line == LINK), "{text}");
        assert!(html.contains("Confirm your e-mail address"), "{html}");
    }
}

// The account is to be mended; the mail waits.
#[tokio::test]
async fn a_sender_that_is_not_verified_costs_no_mail() {
    let Some(moto) = moto().await else { return };
    let sender = Sender::parse("no-reply@elsewhere.example").unwrap();
    let composer = Composer::new(sender, Templates::default(), std::sync::Arc::new(Still));
    let mailer = SesMailer::new(settings(&moto.url), composer).await.unwrap();
    let outcome = mailer.send(&addressed(&fresh("ann"))).await;
    let Err(MailError::Transient(reason)) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("HTTP 400 MessageRejected"), "{reason}");
}
