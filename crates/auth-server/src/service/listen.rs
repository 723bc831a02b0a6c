//! Taking connections, and letting go of them.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::connection::{GRACE, attend};

/// Serves `router` to whoever connects, until `stop`; requests under way then have [`GRACE`] to finish.
///
/// At a bounded number of connections, no more are taken until one ends: those that wait hold no file of ours, and what
/// is open goes on being answered.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    serve_at_most(most_connections(getrlimit(Resource::Nofile).current), listener, router, stop).await;
}

/// The same, for a handful of clients of our own.
pub(crate) async fn serve_few(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    const FEW: u32 = 16;
    serve_at_most(FEW, listener, router, stop).await;
}

/// How many connections there may be where the process may have so many files open. The fourth quarter is left to the
/// database, mail and logs, which must not fail because of strangers.
fn most_connections(open_files: Option<u64>) -> u32 {
    /// More at once than one process answers in time.
    const MOST: u32 = 10_000;
    let share = open_files.map_or(u64::MAX, |files| (files - files / 4).max(1));
    u32::try_from(share).unwrap_or(MOST).min(MOST)
}

async fn serve_at_most(most: u32, listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(most.try_into().unwrap_or(Semaphore::MAX_PERMITS)));
    let (stopping, stopped) = watch::channel(false);
    let (mut full, mut failing) = (OnceAMinute::default(), OnceAMinute::default());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            if places.available_permits() == 0 && full.is_due() {
                tracing::warn!(most, "all connections are taken; new ones wait");
            }
            // Never closed, so never an error.
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! { biased; () = &mut stop => break, next = next => next };
        match accepted {
            Ok((stream, peer)) => {
                let (router, stopped) = (router.clone(), stopped.clone());
                tokio::spawn(async move {
                    attend(undelayed(stream), router, peer, stopped).await;
                    drop(place);
                });
            }
            Err(error) => {
                if failing.is_due() {
                    tracing::warn!(%error, "a connection could not be taken");
                }
                // Out of file descriptors, as a rule: wait for some to be given back.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    stopping.send_replace(true);
    if tokio::time::timeout(GRACE, places.acquire_many(most)).await.is_err() {
        tracing::warn!("some requests took too long to finish");
    }
}

/// Replies are small and complete: waiting for more to send would only delay them.
fn undelayed(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection delays small packets");
    }
    stream
}

/// Keeps a trouble that lasts, or comes and goes, from filling the log.
#[derive(Debug, Default)]
struct OnceAMinute(Option<Instant>);

impl OnceAMinute {
    fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|last| last.elapsed() >= Duration::from_secs(60));
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    async fn start(most: u32) -> (std::net::SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { stopped.await.unwrap_or_default() };
        let router = Router::new().route("/", get(async || "hello"));
        (address, stop, tokio::spawn(serve_at_most(most, listener, router, stopped)))
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut reply = Vec::new();
        while !reply.ends_with(b"hello") {
            assert_ne!(stream.read_buf(&mut reply).await.unwrap(), 0);
        }
        String::from_utf8(reply).unwrap()
    }

    // IN3: strangers' connections can't take every file that the process may open.
    #[tokio::test]
    async fn in3_connections_are_bounded() {
        let (address, _stop, _serving) = start(2).await;
        let mut streams = Vec::new();
        for _ in 0..3 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            streams.push(stream);
        }
        let mut last = streams.pop().unwrap();
        for stream in &mut streams {
            timeout(SOON, answer(stream)).await.unwrap();
        }
        timeout(Duration::from_millis(200), answer(&mut last)).await.unwrap_err();

        // What is open goes on being answered, and a place that is given back is taken.
        streams[0].write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        timeout(SOON, answer(&mut streams[0])).await.unwrap();
        streams.pop();
        timeout(SOON, answer(&mut last)).await.unwrap();
    }

    #[tokio::test]
    async fn silent_clients_hold_up_no_end() {
        let (address, stop, serving) = start(2).await;
        let mut held = Vec::new();
        // More than there is room for: it stops while it waits, too.
        for _ in 0..3 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"P").await.unwrap();
            held.push(stream);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.send(()).unwrap();
        timeout(SOON, serving).await.unwrap().unwrap();
    }

    #[test]
    fn some_files_are_left_to_others() {
        for (open_files, most) in
            [(Some(1024), 768), (Some(1_048_576), 10_000), (None, 10_000), (Some(u64::MAX), 10_000), (Some(1), 1)]
        {
            assert_eq!(most_connections(open_files), most);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lasting_trouble_is_told_once_a_minute() {
        let mut trouble = OnceAMinute::default();
        let mut told = 0;
        for _ in 0..2400 {
            told += u32::from(trouble.is_due());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(told, 2);
    }
}
