//! What signing in costs beside the hash.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use argon2::{Argon2, Block, Params};
use auth_core::adapter::DangerNoThrottle;
use auth_core::keys::{KeyRing, Pepper};
use auth_core::settings::Settings;
use auth_core::{Auth, Parts};
use auth_http::{AuthHttp, HttpSettings, Profile};
use auth_testkit::{MemoryStore, given};
use futures_util::future::try_join_all;
use tokio::net::TcpListener;

use crate::Outcome;
use crate::client::Connection;

/// The argument that makes this program the child that signs in.
pub(crate) const CHILD: &str = "--sign-in";

const CLIENTS: usize = 64;
const MEASURED: Duration = Duration::from_secs(8);

/// Signs in with 64 clients on all cores, between two measurements of bare hashes, and prints the table.
pub(crate) fn run() -> Outcome<()> {
    let before = raw(MEASURED / 2)?;
    let child = Command::new(std::env::current_exe()?).arg(CHILD).stderr(Stdio::inherit()).output()?;
    let after = raw(MEASURED / 2)?;
    let output = String::from_utf8(child.stdout)?;
    let [rate, p99, memory] = output.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err("the child that signs in said nothing".into());
    };
    eprintln!("a second: raw {before:.1}, sign-ins {rate}, raw {after:.1}");
    let raw = (before + after) / 2.0;
    let (ratio, p99) = (rate.parse::<f64>()? / raw, p99.parse::<f64>()?);
    // No client can have its turn more often than all others.
    let turn = CLIENTS as f64 / raw;
    println!("| sign-in, {CLIENTS} clients, all cores | measured | target |\n|---|---|---|");
    println!("| ratio to raw hashes, memory reused | {ratio:.3} | ≥ 0.85 |");
    println!("| p99, in times that {CLIENTS} raw hashes take ({turn:.2} s here) | {:.2} | ≤ 1.38 |", p99 / turn);
    println!("| peak memory of the process, the clients included | {memory} MB | ≤ 100 MB |");
    Ok(())
}

/// Hashes a second on all cores: Argon2 as Portcullis uses it by default, and nothing else.
fn raw(measured: Duration) -> Outcome<f64> {
    let until = Instant::now() + measured;
    let work = move || -> argon2::Result<u32> {
        let params = Params::new(19_456, 2, 1, None)?;
        let mut memory = vec![Block::new(); params.block_count()];
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut hashes = 0;
        while Instant::now() < until {
            argon2.hash_password_into_with_memory(b"correct horse", &[0; 16], &mut [0; 32], &mut memory)?;
            hashes += 1;
        }
        Ok(hashes)
    };
    let threads: Vec<_> = (0..available_parallelism()?.get()).map(|_| thread::spawn(work)).collect();
    let mut hashes = 0;
    for thread in threads {
        hashes += thread.join().map_err(|_| "a hashing thread panicked")??;
    }
    Ok(f64::from(hashes) / measured.as_secs_f64())
}

/// The child: prints sign-ins a second, the 99th percentile in seconds, and peak memory in MB.
pub(crate) fn serve() -> Outcome<()> {
    let (rate, p99) = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(signing_in())?;
    let memory = peak_memory().map_or("unknown".to_owned(), |bytes| format!("{:.0}", bytes / 1e6));
    println!("{rate:.1} {p99:.2} {memory}");
    Ok(())
}

async fn signing_in() -> Outcome<(f64, f64)> {
    let ring = KeyRing::new(&Pepper::new(given::bytes::<32>())?, &[]);
    let parts = Parts::new(Arc::new(MemoryStore::new()), ring, Settings::new("https://auth.example.com"))?;
    let parts = Parts { throttle: Arc::new(DangerNoThrottle), ..parts };
    let http = AuthHttp::new(Auth::start(parts).await?, [Profile::tokens()], HttpSettings::default())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, auth_axum::service(&http)).into_future());

    let clients = (0..CLIENTS).map(|i| async move {
        let mut connection = Connection::open(address).await?;
        connection.call(&post("register", i)).await?;
        Outcome::Ok((connection, post("login", i)))
    });
    let clients = try_join_all(clients).await?;
    let until = Instant::now() + MEASURED;
    let work = clients.into_iter().map(|(mut connection, request)| {
        let work = tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let asked = Instant::now();
                connection.call(&request).await?;
                times.push(asked.elapsed());
            }
            std::io::Result::Ok(times)
        });
        async { Outcome::Ok(work.await??) }
    });
    let begun = Instant::now();
    let mut times = try_join_all(work).await?.concat();
    let took = begun.elapsed();
    times.sort_unstable();
    let rate = f64::from(u32::try_from(times.len())?) / took.as_secs_f64();
    Ok((rate, times[times.len() * 99 / 100].as_secs_f64()))
}

fn post(operation: &str, client: usize) -> Vec<u8> {
    let credentials = serde_json::json!({ "email": format!("client{client}@example.com"), "password": "correct horse battery staple" });
    let body = credentials.to_string();
    format!(
        "POST /v1/auth/{operation} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The most memory that this process ever had, in bytes, where the system says so.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib * 1024.0)
}
