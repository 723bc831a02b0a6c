//! A mail server that can be away, or hang.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Nothing listens: connections are refused.
    Away,
    /// Takes connections and never says a word.
    Hung,
    /// Takes no mail, for good.
    Refusing,
    /// Takes mail, from whoever signs in or doesn't.
    Up,
}

/// A server on a port of its own. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Smtp {
    pub(crate) port: u16,
    service: Arc<watch::Sender<Service>>,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Smtp {
    pub(crate) fn new(service: Service) -> Self {
        // Bound from the start: while nothing listens, nobody else can take the port either.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let port = socket.local_addr().unwrap().port();
        let smtp = Self { port, service: Arc::new(watch::Sender::new(service)), received: Arc::default() };
        tokio::spawn(smtp.clone().run(socket));
        smtp
    }

    pub(crate) fn set(&self, service: Service) {
        self.service.send_replace(service);
    }

    /// Every mail that was taken.
    pub(crate) fn received(&self) -> Vec<Vec<u8>> {
        self.received.lock().unwrap().clone()
    }

    async fn run(self, socket: TcpSocket) {
        let mut service = self.service.subscribe();
        if service.wait_for(|service| *service != Service::Away).await.is_err() {
            return;
        }
        let listener: TcpListener = socket.listen(64).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().converse(stream));
        }
    }

    async fn converse(self, mut stream: TcpStream) -> std::io::Result<()> {
        if *self.service.borrow() == Service::Hung {
            // Until the client has lost patience.
            return tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop);
        }
        let mut stream = BufReader::new(stream);
        let mut reply = "220 test";
        loop {
            stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            reply = match line.split_whitespace().next().unwrap_or_default() {
                "EHLO" => "250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME",
                "AUTH" => "235 welcome",
                "RCPT" if *self.service.borrow() == Service::Refusing => "550 5.1.1 no such user",
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let mut mail = Vec::new();
                    while !mail.ends_with(b"\r\n.\r\n") {
                        if stream.read_until(b'\n', &mut mail).await? == 0 {
                            return Ok(());
                        }
                    }
                    mail.truncate(mail.len() - b".\r\n".len());
                    self.received.lock().unwrap().push(mail);
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
        }
    }
}
