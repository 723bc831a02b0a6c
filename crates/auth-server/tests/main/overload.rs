//! More sign-ins at once than a server can hash.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::client::Client;
use crate::support::database::{Backend, Site};
use crate::support::person::Person;
use crate::support::process::Server;
use crate::support::race::{count, race};

const SIGN_INS: usize = 500;

/// What a server may take at its peak, as `docs/src/operate/deployment.md` promises: 19 MiB for each core's hashing
/// thread, and 96 MiB for everything else, 500 connections and the pages of an unoptimised program included.
fn ceiling_in_kib() -> usize {
    std::thread::available_parallelism().unwrap().get() * 19_456 + 96 * 1024
}

/// PW6: of 500 sign-ins at once, as many are hashed as the queue holds, and the rest are sent away. Memory stays below
/// the ceiling, and everything that needs no hash is answered all along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pw6_a_flood_of_sign_ins_is_bounded() {
    let site = Site::unthrottled(Backend::Sqlite).await.unwrap();
    let server = site.home.start().await;
    let person = Person::registered(&server.client()).await;
    let stranger = Person::new();
    let wrong = person.with_password("not what it was");
    let flood = [&person, &wrong, &stranger].map(|who| who.login(&server.client()));

    let over = Arc::new(AtomicBool::new(false));
    let polling = tokio::spawn(poll(server.client(), over.clone()));
    for _ in 0..2 {
        let replies = race(flood.iter().cycle().take(SIGN_INS).cloned()).await;

        let (hashed, refused) = (count(&replies, 200) + count(&replies, 401), count(&replies, 503));
        assert_eq!(hashed + refused, SIGN_INS, "{replies:?}");
        // At least a full queue is served.
        assert!(hashed >= 64 && refused > 0, "{hashed} hashed, {refused} refused");
        for (i, reply) in replies.iter().enumerate() {
            match reply.status {
                200 => assert_eq!(i % flood.len(), 0),
                401 => assert_ne!(i % flood.len(), 0),
                _ => {
                    reply.is_problem(503, "UNAVAILABLE");
                    assert!(reply.headers.contains_key("retry-after"));
                }
            }
        }
    }
    over.store(true, Ordering::SeqCst);
    let polls = polling.await.unwrap();
    assert!(polls > 10, "only {polls} polls");

    let (peak, ceiling) = (peak_in_kib(&server), ceiling_in_kib());
    println!("peak {peak} KiB of {ceiling} KiB, {polls} polls");
    assert!(peak < ceiling, "{peak} KiB of {ceiling} KiB");
    // Refused is not a failure: nothing was counted against anybody, and the next sign-in is an ordinary one.
    person.sign_in(&server.client()).await;
}

/// Asks whether the server is alive, over and over. Every question is answered.
async fn poll(client: Client, over: Arc<AtomicBool>) -> u32 {
    let mut polls = 0;
    while !over.load(Ordering::SeqCst) {
        client.root("/healthz").expect(200).await;
        client.root("/readyz").expect(200).await;
        polls += 1;
    }
    polls
}

/// The most memory that the process ever had.
fn peak_in_kib(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}
