//! One connection, and whom it isn't kept for.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tower::Service;

/// Answers requests over `io` until the client closes it, has nothing to ask for [`PATIENCE`], or `stopped` turns true.
///
/// - HTTP/1.1, or HTTP/2 to a client that begins with it (proxies do).
/// - A request that isn't there after [`PATIENCE`], slow heads and not a byte at all included, ends the connection, so that
///   strangers can't keep it for nothing (IN3). So does a client that doesn't take its replies.
/// - Requests under way are answered first; for that there is [`GRACE`].
pub(super) async fn attend<I>(io: I, router: Router, peer: SocketAddr, mut stopped: watch::Receiver<bool>)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let under_way = Arc::new(watch::Sender::new(0));
    let over = async {
        tokio::select! {
            () = idle(under_way.subscribe()) => {}
            // An error means that nobody is left to stop us, which is as good as being told to.
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    };
    let mut server = Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(MAX_HEAD);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(PATIENCE).max_concurrent_streams(100);
    let mut connection = pin!(server.serve_connection(TokioIo::new(io), answer(router, peer, under_way.clone())));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = over => {
            connection.as_mut().graceful_shutdown();
            timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// How long a client may take over a request's head, and keep a connection without a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long requests under way may take to finish when a connection is to end.
pub(super) const GRACE: Duration = Duration::from_secs(15);
/// Bytes that a request's head may have in HTTP/1.1; in HTTP/2 it is hyper's default.
const MAX_HEAD: usize = 16 * 1024;

/// Ends when no request has been under way for [`PATIENCE`].
///
/// Seen from the requests and not from the bytes: hyper's own timeout begins only once it knows the protocol, and in
/// HTTP/2 a client that does nothing but answer pings would stay for ever.
async fn idle(mut under_way: watch::Receiver<usize>) {
    loop {
        // Any change counts, also one back to the same number: a request may be over before this is polled again.
        let changed = if *under_way.borrow_and_update() == 0 {
            timeout(PATIENCE, under_way.changed()).await
        } else {
            Ok(under_way.changed().await)
        };
        if !matches!(changed, Ok(Ok(()))) {
            return;
        }
    }
}

/// Hands requests to `router`, with the peer's address, and counts those under way.
fn answer(
    router: Router,
    peer: SocketAddr,
    under_way: Arc<watch::Sender<usize>>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send + 'static,
> {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let counted = Counted::new(&under_way);
        let reply = router.clone().call(request);
        async move {
            let reply = reply.await;
            drop(counted);
            reply
        }
    })
}

/// A request under way; over when dropped, answered or not.
struct Counted(Arc<watch::Sender<usize>>);

impl Counted {
    fn new(under_way: &Arc<watch::Sender<usize>>) -> Self {
        under_way.send_modify(|requests| *requests += 1);
        Self(under_way.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use bytes::Bytes;
    use http_body_util::Empty;
    use hyper::client::conn::http2;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep};

    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    const SLOW: Duration = Duration::from_secs(60);

    /// A client of a connection that is attended to, what stops it, and its end.
    fn connect(buffer: usize) -> (DuplexStream, watch::Sender<bool>, JoinHandle<()>) {
        let slow = async || {
            sleep(SLOW).await;
            "done"
        };
        let router = Router::new().route("/", get(async || "hello")).route("/slow", get(slow));
        let (client, server) = duplex(buffer);
        let (stop, stopped) = watch::channel(false);
        let peer = SocketAddr::from(([192, 0, 2, 1], 4711));
        (client, stop, tokio::spawn(attend(server, router, peer, stopped)))
    }

    async fn read_to(client: &mut DuplexStream, end: &[u8]) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end) {
            assert_ne!(client.read_buf(&mut read).await.unwrap(), 0, "{}", read.escape_ascii());
        }
        String::from_utf8(read).unwrap()
    }

    // IN3: in whatever protocol, and before there is one.
    #[tokio::test(start_paused = true)]
    async fn in3_silent_clients_are_let_go() {
        let settings = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        for sent in ["", "P", "PRI * HTTP/2.0\r\n", settings, "GET", "GET / HTTP/1.1\r\nhost: ", GET] {
            let (mut client, _stop, attended) = connect(1024);
            let begun = Instant::now();
            client.write_all(sent.as_bytes()).await.unwrap();
            timeout(PATIENCE + GRACE + Duration::from_secs(1), attended).await.expect(sent).unwrap();
            assert!(begun.elapsed() >= PATIENCE, "{sent}");
        }
    }

    // IN3: that a client is alive is no reason to keep it.
    #[tokio::test(start_paused = true)]
    async fn in3_clients_that_only_answer_pings_are_let_go() {
        let (client, _stop, attended) = connect(1024);
        let (mut sender, connection) =
            http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
        let client = tokio::spawn(connection);
        let request = || Request::get("http://x/").body(Empty::new()).unwrap();
        sender.send_request(request()).await.unwrap();
        sleep(PATIENCE - Duration::from_secs(1)).await;
        sender.send_request(request()).await.unwrap();
        let begun = Instant::now();
        timeout(PATIENCE + Duration::from_secs(1), attended).await.unwrap().unwrap();
        assert!(begun.elapsed() >= PATIENCE);
        client.await.unwrap().unwrap();
    }

    // IN3: who doesn't take replies is let go as well.
    #[tokio::test(start_paused = true)]
    async fn in3_clients_that_do_not_read_are_let_go() {
        let (mut client, _stop, attended) = connect(64);
        let flood = async {
            loop {
                client.write_all(GET.as_bytes()).await.unwrap();
            }
        };
        timeout(Duration::from_secs(1), flood).await.unwrap_err();
        timeout(PATIENCE + GRACE + Duration::from_secs(1), attended).await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_in_time_may_stay() {
        let (mut client, _stop, _attended) = connect(1024);
        for _ in 0..5 {
            client.write_all(GET.as_bytes()).await.unwrap();
            read_to(&mut client, b"hello").await;
            sleep(PATIENCE - Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_under_way_are_waited_for() {
        let (mut client, _stop, _attended) = connect(1024);
        client.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let begun = Instant::now();
        read_to(&mut client, b"done").await;
        assert!(begun.elapsed() >= SLOW);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_lets_requests_finish_for_a_while() {
        for (path, after) in [("/", Duration::ZERO), ("/slow", GRACE)] {
            let (mut client, stop, attended) = connect(1024);
            client.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
            sleep(Duration::from_secs(1)).await;
            let begun = Instant::now();
            stop.send_replace(true);
            attended.await.unwrap();
            assert_eq!(begun.elapsed().as_secs(), after.as_secs(), "{path}");
        }
        let (mut client, stop, _attended) = connect(1024);
        client.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        sleep(SLOW - Duration::from_secs(5)).await;
        stop.send_replace(true);
        let reply = read_to(&mut client, b"done").await;
        assert!(reply.contains("connection: close"), "{reply}");
    }

    // IN3: what a head may take of our memory is bounded.
    #[tokio::test(start_paused = true)]
    async fn in3_long_heads_are_refused() {
        let (mut client, _stop, _attended) = connect(64 * 1024);
        let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(MAX_HEAD));
        client.write_all(head.as_bytes()).await.unwrap();
        let reply = read_to(&mut client, b"\r\n\r\n").await;
        assert!(reply.starts_with("HTTP/1.1 431 "), "{reply}");
    }
}
