//! A server that is killed at any moment has lost nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::client::Client;
use crate::support::database::{Backend, Site};
use crate::support::person::{Person, Tokens};
use crate::support::race::race;
use crate::support::{by_diesel, eventually};

const ROUNDS: usize = 8;
/// Clients of each server at once.
const CLIENTS: usize = 8;

/// DF2: all at once, since for the most part they wait for leases of the dead to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn df2_a_killed_server_has_lost_nothing() {
    tokio::join!(started_again_on_sqlite(), outlived_on(Backend::Postgres), outlived_on(Backend::Mariadb));
}

/// DF2: the same by the other library.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn df2_a_killed_server_has_lost_nothing_by_diesel() {
    let all = async {
        tokio::join!(started_again_on_sqlite(), outlived_on(Backend::Postgres), outlived_on(Backend::Mariadb));
    };
    by_diesel(all).await;
}

/// One process, killed and started again.
async fn started_again_on_sqlite() {
    let site = Site::unthrottled(Backend::Sqlite).await.unwrap();
    let mut promises = Promises::default();
    for _ in 0..ROUNDS {
        promises.add(kill_under_load(&site, None).await);
    }
    let server = site.home.start().await;
    promises.are_kept(&server.client(), &site).await;
    server.stop().await;
}

/// Of two processes one is killed over and over, and the other goes on; what the dead ones had begun to send, it sends.
async fn outlived_on(backend: Backend) {
    let Some(site) = Site::unthrottled(backend).await else { return };
    let survivor = site.home.start().await;
    let mut promises = Promises::default();
    for _ in 0..ROUNDS {
        promises.add(kill_under_load(&site, Some(survivor.client())).await);
    }
    promises.are_kept(&survivor.client(), &site).await;
    survivor.stop().await;
}

/// What servers have said was done.
#[derive(Debug, Default)]
struct Promises {
    /// Answered with 201.
    registered: Vec<Person>,
    /// Answered with 204: the sessions of these tokens are dead.
    signed_out: Vec<Tokens>,
}

impl Promises {
    fn add(&mut self, other: Self) {
        self.registered.extend(other.registered);
        self.signed_out.extend(other.signed_out);
    }

    /// Each user is there, each mail arrives, each session that was ended stays dead.
    async fn are_kept(&self, client: &Client, site: &Site) {
        println!("{} registered, {} signed out", self.registered.len(), self.signed_out.len());
        // One in each round is registered before the load begins.
        assert!(self.registered.len() > ROUNDS && !self.signed_out.is_empty(), "no load");
        for some in self.registered.chunks(50) {
            for reply in race(some.iter().map(|person| person.register(client))).await {
                reply.is_problem(409, "CONFLICT");
            }
        }
        for reply in race(self.registered.iter().rev().take(20).map(|person| person.login(client))).await {
            reply.expect(200);
        }
        let control = self.registered[0].sign_in(client).await;
        control.me(client).expect(200).await;
        for tokens in &self.signed_out {
            tokens.me(client).problem(401, "UNAUTHORIZED").await;
            tokens.refresh(client).problem(401, "UNAUTHORIZED").await;
        }

        // What a dead server had leased is due again when its lease is over.
        eventually("a mail for each user", async || {
            let arrived: std::collections::HashSet<String> =
                site.home.mails().mails().into_iter().map(|mail| mail.to).collect();
            self.registered.iter().all(|person| arrived.contains(&person.email)).then_some(())
        })
        .await;
        // The other way round: nobody was sent a code for an account that isn't there.
        let mails = site.home.mails().mails();
        for some in mails.chunks(50) {
            let again = |email: &String| Person { email: email.clone(), ..Person::new() }.register(client);
            for reply in race(some.iter().map(|mail| again(&mail.to))).await {
                reply.is_problem(409, "CONFLICT");
            }
        }
    }
}

/// Starts a server, loads it and its `other`, and kills it at some moment.
async fn kill_under_load(site: &Site, other: Option<Client>) -> Promises {
    let home = site.home.clone().with("PUBLIC_URL", "http://127.0.0.1:8080");
    let server = home.start().await;
    let member = Person::registered(&server.client()).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in [server.client()].into_iter().chain(other) {
        for i in 0..CLIENTS {
            let (member, over) = (member.clone(), over.clone());
            clients.spawn(async move {
                if i < 2 { sign_in_and_out(client, &member, &over).await } else { register(client, &over).await }
            });
        }
    }
    tokio::time::sleep(Duration::from_millis(rand::random_range(50..600))).await;
    server.kill();
    over.store(true, Ordering::SeqCst);

    let mut promises = Promises { registered: vec![member], ..Promises::default() };
    while let Some(client) = clients.join_next().await {
        promises.add(client.unwrap());
    }
    promises
}

/// Registers one person after another, until the server is gone or the round is over.
async fn register(client: Client, over: &AtomicBool) -> Promises {
    let mut promises = Promises::default();
    while !over.load(Ordering::SeqCst) {
        let person = Person::new();
        match person.register(&client).try_send().await {
            Ok(reply) => assert_eq!(reply.status, 201, "{reply:?}"),
            Err(_) => break,
        }
        promises.registered.push(person);
    }
    promises
}

async fn sign_in_and_out(client: Client, member: &Person, over: &AtomicBool) -> Promises {
    let mut promises = Promises::default();
    while !over.load(Ordering::SeqCst) {
        let Ok(reply) = member.login(&client).try_send().await else { break };
        let tokens = Tokens::of(&reply.expect(200));
        match client.post("/logout", &json!({})).bearer(&tokens.access).try_send().await {
            Ok(reply) => assert_eq!(reply.status, 204, "{reply:?}"),
            Err(_) => break,
        }
        promises.signed_out.push(tokens);
    }
    promises
}
