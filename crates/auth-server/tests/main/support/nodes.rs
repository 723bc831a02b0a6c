//! Several servers that are one service.

use super::client::Client;
use super::database::{Backend, Site};
use super::process::{Home, Server};
use super::redis;

/// Servers on one store, each of another framework than the one before.
pub(crate) struct Nodes {
    pub(crate) servers: Vec<Server>,
    /// After the servers: a database in use is dropped late.
    pub(crate) site: Site,
}

impl Nodes {
    /// Two, which share nothing but the store.
    pub(crate) async fn on(backend: Backend) -> Option<Self> {
        Some(Self::of(Site::unthrottled(backend).await?, 2).await)
    }

    /// So many, on PostgreSQL and on that Redis, or Cluster; `None` where the run leaves one of them out.
    pub(crate) async fn sharing(shared: redis::Kind, count: usize) -> Option<Self> {
        let redis = shared.url()?;
        Some(Self::of(Site::unthrottled(Backend::Postgres).await?.sharing(&redis), count).await)
    }

    pub(crate) async fn of(site: Site, count: usize) -> Self {
        // One address for clients: what one node issues, the others must take for their own.
        let site = site.with("PUBLIC_URL", "http://127.0.0.1:8080");
        let rocket = site.home.clone().with("AUTH_WEB", "rocket");
        let mut servers = Vec::new();
        for i in 0..count {
            let home: &Home = if i % 2 == 0 { &site.home } else { &rocket };
            servers.push(home.start().await);
        }
        Self { servers, site }
    }

    /// The nodes in turn.
    pub(crate) fn client(&self, i: usize) -> Client {
        self.servers[i % self.servers.len()].client()
    }
}
