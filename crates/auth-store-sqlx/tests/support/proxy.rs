//! A network between the store and its database that can be cut.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Passes everything on.
    Up,
    /// Refuses connections, and has closed those there were.
    Down,
    /// Takes connections and passes nothing on, as a frozen server does.
    Frozen,
}

/// Forwards a local port to a server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<watch::Sender<Network>>,
}

impl Proxy {
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(Network::Up));
        tokio::spawn(serve(Some(listener), port, server, state.subscribe()));
        Self { port, state }
    }

    pub(crate) fn set(&self, network: Network) {
        self.state.send_replace(network);
    }
}

async fn serve(mut listener: Option<TcpListener>, port: u16, server: String, mut state: watch::Receiver<Network>) {
    let mut connections = JoinSet::new();
    loop {
        if *state.borrow_and_update() == Network::Down {
            // Refuses from here on.
            listener = None;
            connections.shutdown().await;
            if state.changed().await.is_err() {
                return;
            }
            continue;
        }
        let listener = match &listener {
            Some(listener) => listener,
            None => listener.insert(TcpListener::bind(("127.0.0.1", port)).await.unwrap()),
        };
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                connections.spawn(forward(client, server.clone(), state.clone()));
            }
        }
    }
}

async fn forward(mut client: TcpStream, server: String, mut state: watch::Receiver<Network>) {
    let mut upstream = TcpStream::connect(&server).await.unwrap();
    loop {
        let is_up = *state.borrow_and_update() == Network::Up;
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            // Dropped in between only while frozen, when nothing is under way in the test's one connection.
            _ = copy_bidirectional(&mut client, &mut upstream), if is_up => return,
        }
    }
}
