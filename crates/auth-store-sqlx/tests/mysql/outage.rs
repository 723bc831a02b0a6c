//! The database goes away and comes back.

use std::time::{Duration, Instant};

use auth_core::domain::User;
use auth_core::port::{Change, Commit, CommitError, Housekeeping, StoreError, Users};
use auth_testkit::given;
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, query_scalar};

use super::{Database, Store};
use crate::support::proxy::{Network, Proxy};

/// A store that reaches its database through a network of ours, with connections idling in its pools.
async fn behind_a_proxy() -> Option<(Database, Store, Proxy, User)> {
    let database = Database::empty().await?;
    let options = database.options();
    let proxy = Proxy::to(format!("{}:{}", options.get_host(), options.get_port())).await;
    let url = options.host("127.0.0.1").port(proxy.port).to_url_lossy();
    let store = Store::connect(url.as_str()).await.unwrap();
    store.migrate().await.unwrap();
    let user = given::registered(&store).await;
    join_all((0..20).map(|_| async { read(&store, &user).await.unwrap() })).await;
    Some((database, store, proxy, user))
}

async fn read(store: &Store, user: &User) -> Result<(), StoreError> {
    assert!(store.find_user(user.id).await?.is_some());
    Ok(())
}

async fn write(store: &Store, user: &User) -> Result<(), CommitError> {
    store.commit(&[Change::AdvanceEpoch { user: user.id }]).await
}

/// DF4: while the database is away, every call says so within ten seconds; once it is back, the first call works,
/// dead connections in the pools or not.
async fn away_and_back(network: Network) {
    let Some((_database, store, proxy, user)) = behind_a_proxy().await else { return };
    proxy.set(network);
    let began = Instant::now();
    let (reading, writing, ping) = tokio::join!(read(&store, &user), write(&store, &user), store.ping());
    assert!(matches!(reading, Err(StoreError::Unavailable { store: "mysql", .. })), "{reading:?}");
    assert!(matches!(writing, Err(CommitError::Store(StoreError::Unavailable { .. }))), "{writing:?}");
    assert!(matches!(ping, Err(StoreError::Unavailable { .. })), "{ping:?}");
    assert!(began.elapsed() < Duration::from_millis(10_500), "{:?}", began.elapsed());

    proxy.set(Network::Up);
    read(&store, &user).await.unwrap();
    write(&store, &user).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df4_a_stopped_server_is_unavailable_until_it_is_back() {
    away_and_back(Network::Down).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df4_a_frozen_server_is_unavailable_until_it_is_back() {
    away_and_back(Network::Frozen).await;
}

/// DF4: connections that died while idle cost no request anything: reads are asked again, writes test theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn df4_dead_connections_fail_no_request() {
    let Some((database, store, proxy, user)) = behind_a_proxy().await else { return };
    for _ in 0..3 {
        end_all(&database).await;
        let calls = (0..20).map(|_| async { tokio::join!(read(&store, &user), write(&store, &user)) });
        for (reading, writing) in join_all(calls).await {
            reading.unwrap();
            writing.unwrap();
        }
        proxy.set(Network::Down);
        tokio::time::sleep(Duration::from_millis(50)).await;
        proxy.set(Network::Up);
        let calls = (0..20).map(|_| async { tokio::join!(read(&store, &user), write(&store, &user)) });
        for (reading, writing) in join_all(calls).await {
            reading.unwrap();
            writing.unwrap();
        }
    }
}

/// Ends all connections to the database but its own.
async fn end_all(database: &Database) {
    const OTHERS: &str = "
        select cast(id as signed) from information_schema.processlist where db = database() and id <> connection_id()";
    let mut connection = database.connection().await;
    let others: Vec<i64> = query_scalar(OTHERS).fetch_all(&mut connection).await.unwrap();
    for other in others {
        // One that has ended by itself is no trouble.
        connection.execute(AssertSqlSafe(format!("kill {other}"))).await.ok();
    }
}

#[tokio::test]
async fn a_server_that_refuses_us_is_a_failure() {
    let Some(database) = Database::empty().await else { return };
    let url = database.options().database("no_such_database").to_url_lossy();
    let outcome = Store::connect(url.as_str()).await;
    assert!(matches!(outcome, Err(StoreError::Failed { store: "mysql", .. })), "{outcome:?}");
}
