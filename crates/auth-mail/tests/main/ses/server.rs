//! An endpoint that answers what a test tells it to, and keeps what it hears.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What an endpoint answers to each request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// The mail is taken.
    Taken,
    /// Status, code and message of a refusal, as SES puts them.
    Refused(u16, &'static str, &'static str),
    /// Status and body of something that isn't SES.
    Stranger(u16, &'static str),
    /// Say nothing, ever again.
    Hang,
    /// Begin an answer and never end it.
    Trickle,
    /// Close the connection.
    HangUp,
}

pub(super) struct Scripted {
    pub(super) port: u16,
    heard: Arc<Mutex<Vec<Request>>>,
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Request line and headers, in lower case.
    pub(super) head: String,
    pub(super) body: Value,
}

impl Scripted {
    pub(super) async fn start(answer: Answer) -> Self {
        Self::start_with(answer, None).await
    }

    pub(super) async fn start_with(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let record = heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, record) = (tls.clone(), record.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, answer, &record).await,
                        Some(tls) => converse(tls.accept(stream).await.ok()?, answer, &record).await,
                    }
                });
            }
        });
        Self { port, heard }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every request it was sent.
    pub(super) fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }
}

/// Answers until the client goes.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    answer: Answer,
    heard: &Mutex<Vec<Request>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.ok()?;
        heard.lock().unwrap().push(Request { head, body: serde_json::from_slice(&body).unwrap_or_default() });

        let (status, code, body) = match answer {
            Answer::Taken => (200, "", json!({ "MessageId": "0107-1" }).to_string()),
            Answer::Refused(status, code, message) => (status, code, json!({ "message": message }).to_string()),
            Answer::Stranger(status, body) => (status, "", body.to_owned()),
            Answer::Hang => return std::future::pending().await,
            Answer::Trickle => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await.ok()?;
                stream.flush().await.ok()?;
                return std::future::pending().await;
            }
            Answer::HangUp => return None,
        };
        let kind = if code.is_empty() { String::new() } else { format!("x-amzn-errortype: {code}\r\n") };
        let length = body.len();
        let reply = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n{kind}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(reply.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
}
