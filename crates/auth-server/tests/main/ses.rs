//! Mail through Amazon SES, as moto's server plays it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::eventually;
use crate::support::person::Person;
use crate::support::process::Home;
use crate::support::{report, server};

/// With AWS's own variables and nothing else, the code that SES was sent verifies the address.
#[tokio::test]
async fn mail_goes_through_ses() {
    let Some(url) = server("ses", "PORTCULLIS_TEST_SES") else { return };
    ask(&url, "POST", "/moto-api/recorder/start-recording", "").await;
    ask(&url, "POST", "/v2/email/identities", &json!({ "EmailIdentity": "acme.example" }).to_string()).await;
    let home = Home::new().with("AUTH_MAILER", "ses").with("MAIL_FROM", "Acme <no-reply@acme.example>");
    let home = home.with("SES_CONFIGURATION_SET", "portcullis").with("AUTH_LOG", "trace");
    let home = home.with("AWS_REGION", "eu-central-1").with("AWS_ENDPOINT_URL_SESV2", &url);
    let home = home.with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").with("AWS_SECRET_ACCESS_KEY", "hunter2");
    let server = home.start().await;
    let client = server.client();

    let person = Person::registered(&client).await;
    let request = eventually("a request to SES", async || sent(&url, &person.email).await).await;
    assert_eq!(request["FromEmailAddress"], "no-reply@acme.example");
    assert_eq!(request["Destination"], json!({ "ToAddresses": [person.email] }));
    assert_eq!(request["ConfigurationSetName"], "portcullis");
    let mime = BASE64_STANDARD.decode(request["Content"]["Raw"]["Data"].as_str().unwrap()).unwrap();
    let text = mailparse::parse_mail(&mime).unwrap().subparts[0].get_body().unwrap();
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    let code = text.lines().find(is_code).unwrap();
    client.post("/verify/confirm", &json!({ "email": person.email, "code": code })).expect(200).await;

    // AU2: the SDK's traces among them.
    let log = server.log();
    for secret in [code, "?token=", "hunter2"] {
        assert!(!log.contains(secret), "{secret}");
    }
    server.stop().await;
    report("ses", &std::env::var("PORTCULLIS_TEST_SES_VERSION").unwrap_or_else(|_| "unknown".into()));
}

/// SES beside SMTP, without a sender, without a region, or by half.
#[test]
fn ses_is_configured_whole_or_not_at_all() {
    const SES: (&str, &str) = ("AUTH_MAILER", "ses");
    const FROM: (&str, &str) = ("MAIL_FROM", "no-reply@acme.example");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[SES], "MAIL_FROM is required"),
        (&[SES, FROM, ("SMTP_HOST", "localhost")], "AUTH_MAILER contradicts SMTP_HOST"),
        (&[SES, FROM, ("SES_CONFIGURATION_SET", "no such")], "SES_CONFIGURATION_SET: a configuration set's name"),
        (&[("SES_CONFIGURATION_SET", "portcullis")], "means nothing without AUTH_MAILER=ses"),
        (&[SES, FROM, ("AUTH_LISTEN", "0.0.0.0:0")], "PUBLIC_URL must say"),
        // Not among our mistakes, but known only to AWS's chain.
        (&[SES, FROM], "no AWS region: set AWS_REGION"),
        (
            &[SES, FROM, ("AWS_REGION", "eu-central-1"), ("AWS_ENDPOINT_URL", "http://ses.example.com")],
            "loopback hosts",
        ),
    ];
    for (settings, mistake) in cases {
        // Not the machine's own metadata service, should the tests run on one of AWS's.
        let home = Home::new().with("AWS_EC2_METADATA_DISABLED", "true");
        let refusal = settings.iter().fold(home, |home, (name, value)| home.with(name, value)).refused();
        assert!(refusal.contains(mistake), "{settings:?}: {refusal}");
        assert!(!refusal.contains("for development"), "{settings:?}: {refusal}");
    }
}

/// The first mail that SES was asked to send there.
async fn sent(url: &str, to: &str) -> Option<Value> {
    let recording = ask(url, "GET", "/moto-api/recorder/download-recording", "").await;
    let requests = recording.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let bodies = requests.filter_map(|request| BASE64_STANDARD.decode(request["body"].as_str()?).ok());
    let mut bodies = bodies.filter_map(|body| serde_json::from_slice::<Value>(&body).ok());
    bodies.find(|body| body["Destination"]["ToAddresses"][0] == to)
}

/// The body of the answer to a request that is signed as far as moto looks at it.
async fn ask(url: &str, method: &str, path: &str, body: &str) -> String {
    let host = url.strip_prefix("http://").unwrap();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-central-1/ses/aws4_request, \
         SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len(),
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}
