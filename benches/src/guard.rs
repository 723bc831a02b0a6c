//! What it costs to know who asks: a guarded route beside a bare one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use auth_cache_redis::{Redis, RedisSessions, RedisUrl};
use auth_core::adapter::LocalSessions;
use auth_core::port::SessionCache;
use auth_core::settings::AccessCheck;
use auth_store_sqlx::SqliteStore;
use auth_testkit::MemoryStore;
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::Outcome;
use crate::case::{Algorithm, Case, Kind};
use crate::client;
use crate::core::{Party, pin};
use crate::database::Database;

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 3;
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_millis(2500);

const fn session(name: &'static str, target: f64, tokens: usize) -> Kind {
    Kind { name, target, algorithm: Algorithm::EdDsa, check: AccessCheck::Session, tokens }
}

const MEMORY: Kind = session("EdDSA, session in memory", 0.90, 1);
const MEMORY_MANY: Kind = session("EdDSA, session in memory, 10k tokens", 0.80, 10_000);
const HS256: Kind = Kind {
    name: "HS256, stateless",
    target: 0.85,
    algorithm: Algorithm::Hs256,
    check: AccessCheck::Stateless,
    tokens: 1,
};
const SQLITE: Kind = session("EdDSA, session in SQLite", 0.25, 100);
const POSTGRES: Kind = session("EdDSA, session in PostgreSQL", 0.30, 100);
const REDIS: Kind = session("EdDSA, copy on Redis", 0.60, 100);
const COPY: Kind = session("EdDSA, copy in the process", 0.90, 1);
const COPY_MANY: Kind = session("EdDSA, copy in the process, 100 tokens", 0.80, 100);

/// Measures all cases whose name contains `wanted` and prints the table.
pub(crate) fn run(wanted: &str) -> Outcome<()> {
    let (ready, is_ready) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let server = thread::spawn(move || {
        pin(Party::Server)?;
        runtime()?.block_on(serve(&ready, stopped))
    });
    let Ok((address, cases)) = is_ready.recv() else {
        return server.join().unwrap_or_else(|_| Err("the server panicked".into()));
    };
    let table = measure(address, &cases, wanted);
    // Whatever came of it: there may be a database to drop.
    let _ = stop.send(());
    server.join().unwrap_or_else(|_| Err("the server panicked".into()))?;
    println!("{}", table?);
    Ok(())
}

/// One thread: what the cases differ by is CPU time.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

async fn serve(ready: &mpsc::Sender<(SocketAddr, Vec<Case>)>, stopped: oneshot::Receiver<()>) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let sqlite = SqliteStore::connect(&format!("sqlite://{}/store.db", folder.path().display())).await?;
    sqlite.migrate().await?;
    let database = Database::create().await?;

    let (mut router, bare) = Case::bare(Router::new());
    let mut cases = vec![bare];
    for kind in [MEMORY, MEMORY_MANY, HS256] {
        let (with, case) = kind.guard(router, Arc::new(MemoryStore::new()), None).await?;
        router = with;
        cases.push(case);
    }
    let (mut router, case) = SQLITE.guard(router, Arc::new(sqlite), None).await?;
    cases.push(case);
    if let Some(database) = &database {
        // Before one store, so that only the cache differs.
        let (redis, near) = (redis()?, Some(Arc::new(LocalSessions::default()) as Arc<dyn SessionCache>));
        for (kind, cache) in [(POSTGRES, None), (REDIS, redis), (COPY, near.clone()), (COPY_MANY, near)] {
            if cache.is_none() && kind.name != POSTGRES.name {
                eprintln!("PORTCULLIS_TEST_REDIS isn't set: no Redis");
                continue;
            }
            let (with, case) = kind.guard(router, database.store(), cache).await?;
            router = with;
            cases.push(case);
        }
    } else {
        eprintln!("PORTCULLIS_TEST_POSTGRES isn't set: no PostgreSQL");
    }

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    ready.send((listener.local_addr()?, cases))?;
    tokio::select! {
        served = axum::serve(listener, router).into_future() => served?,
        _ = stopped => {}
    }
    match database {
        Some(database) => database.drop().await,
        None => Ok(()),
    }
}

/// Copies on the server that `PORTCULLIS_TEST_REDIS` names; `None` where it isn't set.
fn redis() -> Outcome<Option<Arc<dyn SessionCache>>> {
    let Ok(url) = std::env::var("PORTCULLIS_TEST_REDIS") else { return Ok(None) };
    let redis = Redis::open(&RedisUrl::parse(&url)?, "bench:")?;
    Ok(Some(Arc::new(RedisSessions::new(redis))))
}

/// Rounds over all cases in turn, so that whatever else the machine does meanwhile meets all of them.
fn measure(address: SocketAddr, cases: &[Case], wanted: &str) -> Outcome<String> {
    pin(Party::Load)?;
    let runtime = runtime()?;
    let is_wanted = |case: &&Case| case.target.is_none() || case.name.contains(wanted);
    let cases: Vec<&Case> = cases.iter().filter(is_wanted).collect();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        for case in &cases {
            let load = client::measure(address, Arc::clone(&case.requests), CONNECTIONS, WARM_UP, MEASURED);
            round.push(runtime.block_on(load).map_err(|error| format!("{}: {error}", case.name))?);
        }
        let rates: Vec<_> = round.iter().map(|measured| measured.rate.round()).collect();
        eprintln!("requests a second: {rates:?}");
        rounds.push(round);
    }

    let mut table = format!(
        "| guard of a route | ratio to {} | target | µs of CPU a request more |\n|---|---|---|---|\n",
        cases[0].name
    );
    for (i, case) in cases.iter().enumerate() {
        let Some(target) = case.target else { continue };
        let ratio = median(rounds.iter().map(|round| round[i].rate / round[0].rate));
        let more = median(rounds.iter().map(|round| round[i].cpu - round[0].cpu));
        table += &format!("| {} | {ratio:.2} | ≥ {target:.2} | {more:.1} |\n", case.name);
    }
    Ok(table)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
