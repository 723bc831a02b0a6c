//! The database goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::ConnectOptions;

use crate::support::client::Call;
use crate::support::database::Postgres;
use crate::support::mariadb::Mariadb;
use crate::support::network::{Network, State};
use crate::support::person::Person;
use crate::support::process::Home;
use crate::support::race::race;
use crate::support::{by_diesel, eventually};

/// DF4: connections to the database break, and new ones too.
#[tokio::test]
async fn df4_a_database_that_is_cut_off() {
    on_postgres(State::Down).await;
}

/// DF4: the database takes connections and says nothing.
#[tokio::test]
async fn df4_a_database_that_is_frozen() {
    on_postgres(State::Frozen).await;
}

#[tokio::test]
async fn df4_a_mariadb_that_is_cut_off() {
    on_mariadb(State::Down).await;
}

#[tokio::test]
async fn df4_a_mariadb_that_is_frozen() {
    on_mariadb(State::Frozen).await;
}

#[tokio::test]
async fn df4_by_diesel_a_database_that_is_cut_off() {
    by_diesel(on_postgres(State::Down)).await;
}

#[tokio::test]
async fn df4_by_diesel_a_database_that_is_frozen() {
    by_diesel(on_postgres(State::Frozen)).await;
}

#[tokio::test]
async fn df4_by_diesel_a_mariadb_that_is_cut_off() {
    by_diesel(on_mariadb(State::Down)).await;
}

#[tokio::test]
async fn df4_by_diesel_a_mariadb_that_is_frozen() {
    by_diesel(on_mariadb(State::Frozen)).await;
}

async fn on_postgres(outage: State) {
    let Some(database) = Postgres::empty().await else { return };
    let options = database.options();
    let network = Network::to(format!("{}:{}", options.get_host(), options.get_port())).await;
    let url = options.host("127.0.0.1").port(network.port).to_url_lossy();
    away_and_back(database.home(), network, url.as_str(), outage).await;
}

async fn on_mariadb(outage: State) {
    let Some(database) = Mariadb::empty().await else { return };
    let options = database.options();
    let network = Network::to(format!("{}:{}", options.get_host(), options.get_port())).await;
    let url = options.host("127.0.0.1").port(network.port).to_url_lossy();
    away_and_back(database.home(), network, url.as_str(), outage).await;
}

/// Meanwhile the server lives and says that it isn't ready, and every request is told to come back; afterwards all is as
/// before, without a restart.
async fn away_and_back(home: Home, network: Network, url: &str, outage: State) {
    home.done(&["migrate"]);
    let server = home.clone().with("DATABASE_URL", url).start().await;
    let client = server.client();
    let person = Person::registered(&client).await;
    let tokens = person.sign_in(&client).await;
    let calls = |newcomer: &Person| -> Vec<Call> {
        vec![
            client.root("/readyz"),
            tokens.me(&client),
            tokens.refresh(&client),
            person.login(&client),
            person.with_password("not what it was").login(&client),
            newcomer.register(&client),
        ]
    };

    network.set(outage);
    let over = Arc::new(AtomicBool::new(false));
    let alive = tokio::spawn({
        let over = over.clone();
        async move {
            while !over.load(Ordering::SeqCst) {
                client.root("/healthz").expect(200).await;
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    });
    let newcomer = Person::new();
    for reply in race(calls(&newcomer)).await {
        reply.is_problem(503, "UNAVAILABLE");
        assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
    }
    over.store(true, Ordering::SeqCst);
    alive.await.unwrap();

    network.set(State::Up);
    eventually("the server is ready", async || (client.root("/readyz").send().await.status == 200).then_some(())).await;
    let statuses: Vec<u16> = race(calls(&newcomer)).await.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 401, 201]);
    // The mail worker has got over it, too.
    home.mails().wait_for(&newcomer.email, "verify").await;
    server.stop().await;
}
