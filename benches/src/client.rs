//! Load: connections that each send a request, wait for its reply, and send the next.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::cpu;

/// A connection that is kept alive. Knows as much of HTTP/1.1 as our own replies take, so that the load costs little.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// The body of the reply to `request`.
    ///
    /// # Errors
    /// Whatever isn't a reply of 2xx with a length.
    pub(crate) async fn call(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some(head) = find(&self.buffer, b"\r\n\r\n") else { continue };
            let body = head + 4;
            let length = content_length(&self.buffer[..head]);
            let length = length.filter(|_| self.buffer.starts_with(b"HTTP/1.1 2"));
            let Some(length) = length else {
                return Err(io::Error::other(String::from_utf8_lossy(&self.buffer).into_owned()));
            };
            while self.buffer.len() < body + length {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            return Ok(&self.buffer[body..]);
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let value = &head[find(head, NAME)? + NAME.len()..];
    let digits = value.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What became of some load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Replies a second.
    pub(crate) rate: f64,
    /// CPU time of a reply in µs, of all threads but the load's; NaN where the system doesn't say.
    pub(crate) cpu: f64,
}

/// `connections` that send `requests` in turn for a while.
pub(crate) async fn measure(
    address: SocketAddr,
    requests: Arc<[Vec<u8>]>,
    connections: usize,
    warm_up: Duration,
    measured: Duration,
) -> io::Result<Measured> {
    let from = Instant::now() + warm_up;
    let until = from + measured;
    let work = (0..connections).map(|i| {
        let requests = Arc::clone(&requests);
        let work = tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut replies = 0_u32;
            // Each begins elsewhere, so that they don't all send one token at a time.
            let first = i * requests.len() / connections;
            for request in requests.iter().cycle().skip(first) {
                connection.call(request).await?;
                let now = Instant::now();
                if now >= until {
                    break;
                }
                replies += u32::from(now >= from);
            }
            io::Result::Ok(replies)
        });
        async { work.await.map_err(io::Error::other)? }
    });
    let work = tokio::spawn(try_join_all(work));
    tokio::time::sleep_until(from).await;
    let before = cpu::of_other_threads();
    tokio::time::sleep_until(until).await;
    let after = cpu::of_other_threads();
    let replies: u32 = work.await.map_err(io::Error::other)??.into_iter().sum();
    let replies = f64::from(replies);
    let cpu = before.zip(after).map_or(f64::NAN, |(before, after)| (after - before).as_secs_f64());
    Ok(Measured { rate: replies / measured.as_secs_f64(), cpu: cpu * 1e6 / replies })
}
