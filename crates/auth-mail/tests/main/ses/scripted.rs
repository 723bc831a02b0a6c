//! What the mailer does with whatever an endpoint may answer.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_core::port::{MailError, Mailer};
use auth_mail::{InvalidSesSettings, SesMailer, SesSettings};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;

use super::server::{Answer, Scripted};
use super::{mailer, settings};
use crate::authority::certificate;
use crate::given::{CODE, LINK, addressed, composer, header, mail, verify};

/// SES repeats what it was sent.
const QUOTING: Answer = Answer::Refused(
    400,
    "MessageRejected",
    "blocked ann@example.com 042137 \
     https://app.acme.example/verify-email?token=Zr3_0u654321-CfGdLkmPqVsNtYwXbHjK8x2-A9e \u{1b}[2J",
);

async fn sent(answer: Answer) -> (Result<(), MailError>, Scripted) {
    let server = Scripted::start(answer).await;
    (mailer(settings(&server.url())).await.send(&mail(verify())).await, server)
}

// EM1: one request, with one sender, one destination, and the message as composed.
#[tokio::test]
async fn em1_one_request_with_one_destination() {
    let (outcome, server) = sent(Answer::Taken).await;
    outcome.unwrap();
    let [request] = &server.heard()[..] else { panic!("{:?}", server.heard()) };
    assert!(request.head.starts_with("post /v2/email/outbound-emails http/1.1\r\n"), "{}", request.head);
    assert!(request.head.contains("credential=akidexample/"), "{}", request.head);
    assert!(request.head.contains("/eu-central-1/ses/aws4_request"), "{}", request.head);

    let Value::Object(mut body) = request.body.clone() else { panic!("{}", request.body) };
    assert_eq!(body.remove("FromEmailAddress").unwrap(), "no-reply@acme.example");
    assert_eq!(body.remove("Destination").unwrap(), serde_json::json!({ "ToAddresses": ["ann@example.com"] }));
    let content = body.remove("Content").unwrap();
    let raw = BASE64_STANDARD.decode(content["Raw"]["Data"].as_str().unwrap()).unwrap();
    assert_eq!(raw, composer().compose(&mail(verify())).unwrap().mime());
    assert_eq!(header(&raw, "X-Auth-Mail"), ["verify"]);
    assert!(body.is_empty(), "{body:?}");
}

#[tokio::test]
async fn the_configuration_set_goes_along() {
    let server = Scripted::start(Answer::Taken).await;
    let settings = settings(&server.url()).configuration_set("portcullis").unwrap();
    mailer(settings).await.send(&mail(verify())).await.unwrap();
    assert_eq!(server.heard()[0].body["ConfigurationSetName"], "portcullis");
}

#[tokio::test]
async fn refusals_of_this_mail_are_permanent() {
    const CASES: &[Answer] = &[
        Answer::Refused(400, "BadRequestException", "Missing final '@domain'"),
        Answer::Refused(400, "BadRequestException", "Domain contains illegal character"),
        Answer::Refused(400, "BadRequestException", "Local address contains control or whitespace"),
        Answer::Refused(400, "MessageRejected", "Email contains invalid content."),
        Answer::Refused(400, "MessageRejected", ""),
    ];
    for case in CASES {
        let (outcome, server) = sent(*case).await;
        assert!(matches!(outcome, Err(MailError::Permanent(_))), "{case:?}: {outcome:?}");
        assert_eq!(server.heard().len(), 1, "{case:?}");
    }
    let reason = sent(CASES[0]).await.0.unwrap_err().to_string();
    assert!(reason.contains("HTTP 400 BadRequestException: Missing final"), "{reason}");
}

// A mis-set account must not destroy mail, and what may pass is tried again: by the outbox, so once here.
#[tokio::test]
async fn what_is_ours_or_may_pass_is_transient() {
    const CASES: &[Answer] = &[
        Answer::Refused(
            400,
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: acme.example",
        ),
        Answer::Refused(400, "MessageRejected", "Sending paused for this account."),
        Answer::Refused(400, "BadRequestException", "Sending is disabled for the configuration set."),
        Answer::Refused(400, "BadRequestException", "no-reply@acme.example may not send."),
        Answer::Refused(400, "MailFromDomainNotVerifiedException", "no"),
        Answer::Refused(400, "AccountSuspendedException", "no"),
        Answer::Refused(400, "SendingPausedException", "no"),
        Answer::Refused(404, "NotFoundException", "Configuration set <none> does not exist."),
        Answer::Refused(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
        Answer::Refused(400, "LimitExceededException", "Daily message quota exceeded."),
        Answer::Refused(400, "ThrottlingException", "Rate exceeded"),
        Answer::Refused(403, "AccessDeniedException", "is not authorized to perform: ses:SendEmail"),
        Answer::Refused(403, "InvalidSignatureException", "no"),
        Answer::Refused(403, "ExpiredTokenException", "no"),
        Answer::Refused(400, "UnrecognizedClientException", "no"),
        Answer::Refused(400, "SomethingNewException", "no"),
        Answer::Refused(500, "InternalFailure", "no"),
        Answer::Refused(503, "ServiceUnavailable", "no"),
        Answer::Stranger(400, "<html>Bad Request</html>"),
        Answer::Stranger(502, "<html>Bad Gateway</html>"),
        Answer::Stranger(301, ""),
        Answer::HangUp,
    ];
    for case in CASES {
        let (outcome, server) = sent(*case).await;
        assert!(matches!(outcome, Err(MailError::Transient(_))), "{case:?}: {outcome:?}");
        assert_eq!(server.heard().len(), 1, "{case:?}");
    }
    let reason = sent(Answer::Stranger(502, "<html>Bad Gateway</html>")).await.0.unwrap_err().to_string();
    assert!(reason.contains("HTTP 502"), "{reason}");
}

#[tokio::test]
async fn an_endpoint_that_is_away_is_transient() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let outcome = mailer(settings(&format!("http://127.0.0.1:{port}"))).await.send(&mail(verify())).await;
    let Err(MailError::Transient(reason)) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("refused"), "{reason}");
}

// DF3: a hung endpoint holds nobody up, wherever it hangs.
#[tokio::test]
async fn df3_a_hung_endpoint_is_transient_in_time() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let servers = [Scripted::start(Answer::Hang).await, Scripted::start(Answer::Trickle).await];
    let mut urls: Vec<_> = servers.iter().map(Scripted::url).collect();
    // Takes connections that nobody ever accepts, and says nothing where a TLS handshake is due.
    let deaf = deaf.local_addr().unwrap();
    urls.extend([format!("http://{deaf}"), format!("https://{deaf}")]);
    for url in urls {
        let mailer = mailer(settings(&url).timeout(Duration::from_millis(300)).unwrap()).await;
        let start = Instant::now();
        let outcome = mailer.send(&mail(verify())).await;
        assert!(matches!(outcome, Err(MailError::Transient(_))), "{url}: {outcome:?}");
        assert!(start.elapsed() < Duration::from_secs(2), "{url}: {:?}", start.elapsed());
    }
    assert!(SesSettings::DEFAULT_TIMEOUT <= Duration::from_secs(10));
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_costs_no_mail() {
    let (acceptor, _) = certificate();
    let server = Scripted::start_with(Answer::Taken, Some(acceptor)).await;
    let mailer = mailer(settings(&format!("https://localhost:{}", server.port))).await;
    let outcome = mailer.send(&mail(verify())).await;
    assert!(matches!(&outcome, Err(MailError::Transient(reason)) if reason.contains("certificate")), "{outcome:?}");
    assert!(server.heard().is_empty(), "{:?}", server.heard());
}

#[tokio::test]
async fn addresses_beyond_ascii_are_not_tried() {
    let server = Scripted::start(Answer::Taken).await;
    let mailer = mailer(settings(&server.url())).await;
    let outcome = mailer.send(&addressed("josé@example.com")).await;
    assert!(matches!(&outcome, Err(MailError::Permanent(reason)) if reason.contains("SMTPUTF8")), "{outcome:?}");
    assert!(server.heard().is_empty(), "{:?}", server.heard());
    // A domain beyond ASCII has an ASCII form.
    mailer.send(&addressed("ann@bücher.example")).await.unwrap();
    assert_eq!(server.heard()[0].body["Destination"]["ToAddresses"][0], "ann@xn--bcher-kva.example");
}

// AU2: what SES quotes of the mail doesn't reach the log through the error.
#[tokio::test]
async fn au2_reasons_quote_no_secrets() {
    let reason = sent(QUOTING).await.0.unwrap_err().to_string();
    assert!(reason.contains("MessageRejected: blocked"), "{reason}");
    for secret in [CODE, "Zr3_", "app.acme.example", "ann@", "\u{1b}"] {
        assert!(!reason.contains(secret), "{reason}");
    }
}

// AU2: the SDK's own traces have answers in them as they came, so nothing of them may be seen at any level.
#[tokio::test]
async fn au2_nothing_of_a_mail_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    tracing::info!("heard");
    let (outcome, server) = sent(QUOTING).await;
    outcome.unwrap_err();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("heard"), "{log}");
    let data = server.heard()[0].body["Content"]["Raw"]["Data"].as_str().unwrap().to_owned();
    let bytes = format!("{:?}", &LINK.as_bytes()[..20]);
    for secret in [CODE, LINK, "ann@example.com", "hunter2", &data[100..140], &bytes[1..bytes.len() - 1]] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

// SC1: neither mailer nor settings print the secret key.
#[tokio::test]
async fn sc1_debug_keeps_the_secret_key() {
    let mailer = mailer(settings("http://127.0.0.1:1").configuration_set("portcullis").unwrap()).await;
    let printed = format!("{mailer:?}");
    assert!(printed.contains("portcullis") && !printed.contains("hunter2"), "{printed}");
}

#[tokio::test]
async fn what_would_cross_a_network_in_the_clear_does_not_start() {
    assert!(matches!(SesSettings::new().endpoint("http://ses.example.com"), Err(InvalidSesSettings::Unprotected(_))));
    assert!(SesMailer::new(settings("https://ses.example.com"), composer()).await.is_ok());
}

/// Everything that was logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
