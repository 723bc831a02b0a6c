//! How a server ends, and whom it doesn't wait for.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::eventually;
use crate::support::person::Person;
use crate::support::process::{Home, Server};

/// Told to stop, a server takes no more connections, answers the requests that are under way, and ends well. The mail
/// that those caused goes out after the next start.
#[tokio::test]
async fn requests_under_way_are_finished() {
    requests_are_finished(Home::new()).await;
}

#[tokio::test]
async fn requests_under_way_are_finished_by_rocket() {
    requests_are_finished(Home::new().with("AUTH_WEB", "rocket")).await;
}

async fn requests_are_finished(home: Home) {
    let server = home.start().await;
    let person = Person::new();
    let body = person.credentials().to_string();
    // Whoever is told to go on is being waited for: the request is certainly under way.
    let mut under_way = Vec::new();
    for headers in ["Expect: 100-continue\r\n", "Expect: 100-continue\r\nConnection: keep-alive\r\n"] {
        let mut stream = Raw::connect(&server).await;
        stream.send(&format!("{}{headers}Content-Length: {}\r\n\r\n", register(&server), body.len())).await;
        assert!(stream.until("\r\n\r\n").await.starts_with("HTTP/1.1 100 "));
        under_way.push(stream);
    }
    // A client that keeps its connection open holds nobody up.
    let mut idle = Raw::connect(&server).await;
    idle.send(&format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address)).await;
    idle.until("\r\n\r\n").await;

    server.terminate();

    let address = server.address;
    eventually("nothing listens", async || TcpStream::connect(address).await.err()).await;
    idle.rest().await;
    let mut replies = Vec::new();
    for stream in &mut under_way {
        stream.send(&body).await;
        replies.push(stream.rest().await);
    }
    assert!(replies[0].starts_with("HTTP/1.1 201 "), "{replies:?}");
    assert!(replies[1].starts_with("HTTP/1.1 409 "), "{replies:?}");
    assert_eq!(server.ended().await, Some(0));

    let server = home.start().await;
    home.mails().wait_for(&person.email, "verify").await;
    person.sign_in(&server.client()).await;
}

/// Nothing under way: Ctrl-C ends it at once, and the same port can be taken again.
#[tokio::test]
async fn a_port_can_be_taken_again() {
    let home = Home::new();
    let server = home.start().await;
    let address = server.address;
    Person::registered(&server.client()).await;
    server.interrupt();
    assert_eq!(server.ended().await, Some(0));
    let again = home.with("AUTH_LISTEN", &address.to_string()).start().await;
    assert_eq!(again.address, address);
}

/// IN3: clients that send a request's head, or its body, drop by drop are let go; others are served meanwhile.
#[tokio::test]
async fn in3_slow_clients_are_let_go() {
    slow_clients_are_let_go(Home::new()).await;
}

/// IN3: Rocket is not asked before there is a head, nor before its operation wants a body.
#[tokio::test]
async fn in3_slow_clients_of_rocket_are_let_go() {
    slow_clients_are_let_go(Home::new().with("AUTH_WEB", "rocket")).await;
}

async fn slow_clients_are_let_go(home: Home) {
    let server = home.start().await;
    let mut slow_heads = Vec::new();
    for _ in 0..20 {
        let mut stream = Raw::connect(&server).await;
        stream.send("POST /v1/auth/login HTTP/1.1\r\nHost: loc").await;
        slow_heads.push(stream);
    }
    let mut slow_body = Raw::connect(&server).await;
    slow_body.send(&format!("{}Content-Length: 100\r\n\r\n{{", register(&server))).await;

    Person::registered(&server.client()).await.sign_in(&server.client()).await;

    for stream in &mut slow_heads {
        // With a word (408) or without.
        let reply = stream.rest().await;
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 408 "), "{reply}");
    }
    let reply = slow_body.until("REQUEST_TIMEOUT").await;
    assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
    server.stop().await;
}

/// The head of a registration, without its length.
fn register(server: &Server) -> String {
    let host = server.address;
    format!("POST /v1/auth/register HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n")
}

/// A connection, byte by byte.
struct Raw(TcpStream);

impl Raw {
    async fn connect(server: &Server) -> Self {
        let address: SocketAddr = server.address;
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads as far as `end`.
    async fn until(&mut self, end: &str) -> String {
        self.read(|text| text.contains(end)).await
    }

    /// Reads what there is until the server closes the connection.
    async fn rest(&mut self) -> String {
        self.read(|_| false).await
    }

    async fn read(&mut self, is_enough: impl Fn(&str) -> bool) -> String {
        let mut read = String::new();
        let reading = async {
            let mut buffer = [0; 4096];
            while !is_enough(&read) {
                // A reset is an end, too.
                match self.0.read(&mut buffer).await {
                    Ok(length @ 1..) => read.push_str(std::str::from_utf8(&buffer[..length]).unwrap()),
                    Ok(0) | Err(_) => break,
                }
            }
        };
        tokio::time::timeout(crate::support::PATIENCE, reading).await.expect("the server to do something");
        read
    }
}
