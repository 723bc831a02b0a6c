//! A network between the server and its database that can be cut.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Passes everything on.
    Up,
    /// Closes connections, and new ones as soon as they are made.
    Down,
    /// Takes connections and passes nothing on, as a frozen server does.
    Frozen,
}

/// Forwards a local port to a server.
pub(crate) struct Network {
    pub(crate) port: u16,
    state: Arc<watch::Sender<State>>,
}

impl Network {
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(State::Up));
        let now = state.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server.clone(), now.clone()));
            }
        });
        Self { port, state }
    }

    pub(crate) fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn forward(client: TcpStream, server: String, state: watch::Receiver<State>) {
    let there_and_back = async {
        let Ok(server) = TcpStream::connect(&server).await else { return };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::select! {
            () = pass_on(from_client, to_server, state.clone()) => {}
            () = pass_on(from_server, to_client, state.clone()) => {}
        }
    };
    let mut cut = state.clone();
    tokio::select! {
        biased;
        _ = cut.wait_for(|state| *state == State::Down) => {}
        () = there_and_back => {}
    }
}

/// Loses nothing in a freeze: what was read before it is written after it.
async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut state: watch::Receiver<State>) {
    let mut buffer = [0; 4096];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        if state.wait_for(|state| *state == State::Up).await.is_err() || to.write_all(&buffer[..length]).await.is_err()
        {
            return;
        }
    }
}
