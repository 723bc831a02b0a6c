//! A server that says what a test tells it to, and keeps what it hears.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::given::{CODE, LINK};

/// What a server answers where it isn't what every server does: for lines that begin so, this.
pub(super) type Script = &'static [(&'static str, &'static str)];

/// Say nothing, ever again.
pub(super) const HANG: &str = "hang";
/// Close the connection.
pub(super) const HANG_UP: &str = "hang up";

pub(super) struct Scripted {
    pub(super) port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

/// How a server protects connections.
#[derive(Clone)]
pub(super) enum Protection {
    None,
    StartTls(TlsAcceptor),
    Tls(TlsAcceptor),
}

impl Scripted {
    pub(super) async fn start(script: Script) -> Self {
        Self::start_with(script, Protection::None).await
    }

    pub(super) async fn start_with(script: Script, protection: Protection) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let record = heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script, protection.clone(), record.clone()));
            }
        });
        Self { port, heard }
    }

    /// Every line it was sent; `connection` and `protected` stand where one began and became so.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// How many lines began with `start`.
    pub(super) fn count(&self, start: &str) -> usize {
        self.heard().iter().filter(|line| line.starts_with(start)).count()
    }

    pub(super) fn has_heard_secrets(&self) -> bool {
        self.heard().iter().any(|line| line.contains(CODE) || line.contains(LINK) || line.starts_with("AUTH"))
    }
}

async fn serve(stream: TcpStream, script: Script, protection: Protection, heard: Arc<Mutex<Vec<String>>>) {
    let say = |line: &str| heard.lock().unwrap().push(line.to_owned());
    say("connection");
    match protection {
        Protection::None => drop(converse(stream, script, true, &heard).await),
        Protection::StartTls(tls) => {
            let Some(stream) = converse(stream, script, true, &heard).await else { return };
            let Ok(stream) = tls.accept(stream).await else { return };
            say("protected");
            converse(stream, script, false, &heard).await;
        }
        Protection::Tls(tls) => {
            let Ok(stream) = tls.accept(stream).await else { return };
            say("protected");
            converse(stream, script, true, &heard).await;
        }
    }
}

/// Answers until the client goes, or asks for STARTTLS: then the connection is given back.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    script: Script,
    greets: bool,
    heard: &Mutex<Vec<String>>,
) -> Option<S> {
    let scripted = |line: &str| script.iter().find(|(start, _)| line.starts_with(start)).map(|(_, reply)| *reply);
    let mut stream = BufReader::new(stream);
    let mut line = "connection".to_owned();
    let mut in_data = false;
    let mut reply = if greets { scripted(&line).unwrap_or("220 test\r\n") } else { "" };
    loop {
        match reply {
            HANG => return std::future::pending().await,
            HANG_UP => return None,
            reply => stream.write_all(reply.as_bytes()).await.ok()?,
        }
        stream.flush().await.ok()?;
        if line == "STARTTLS" && reply.starts_with("220") {
            return Some(stream.into_inner());
        }
        let mut bytes = Vec::new();
        if stream.read_until(b'\n', &mut bytes).await.ok()? == 0 {
            return None;
        }
        line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        heard.lock().unwrap().push(line.clone());
        reply = match (scripted(&line), line.as_str()) {
            (Some(reply), _) => reply,
            (None, text) if in_data && text != "." => "",
            (None, text) if text.starts_with("EHLO") => "250-test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
            (None, text) if text.starts_with("AUTH") => "235 welcome\r\n",
            (None, "DATA") => "354 go on\r\n",
            (None, "STARTTLS") => "220 go on\r\n",
            (None, "QUIT") => "221 bye\r\n",
            (None, _) => "250 ok\r\n",
        };
        in_data = (in_data || line == "DATA" && reply.starts_with('3')) && line != ".";
    }
}
