//! Through a real socket.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::web;

/// Sends `request` as it is and reads until the server closes.
async fn talk(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

// HEAD's reply has no body on the wire, so that the next reply on the connection is where it is looked for.
#[tokio::test]
async fn replies_are_framed() {
    let world = web::world().await;
    replies_are_framed_at(web::listen(world.http()).await).await;
}

pub(crate) async fn replies_are_framed_at(address: SocketAddr) {
    let head = "HEAD /v1/auth/me HTTP/1.1\r\nhost: x\r\n\r\n";
    let get = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let replies = talk(address, &format!("{head}{head}{get}")).await;
    let statuses: Vec<_> = replies.match_indices("HTTP/1.1 ").map(|(at, _)| &replies[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["401", "401", "200"], "{replies}");
    assert!(replies.ends_with("\r\n\r\n{\"status\":\"ok\"}"), "{replies}");
}

// IN3: who announces too large a body is turned away before sending it.
#[tokio::test]
async fn in3_an_announced_body_is_turned_away() {
    let world = web::world().await;
    let address = web::listen(world.http()).await;
    let head = "POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 65537\r\n";
    for expect in ["", "expect: 100-continue\r\n"] {
        let reply = talk(address, &format!("{head}{expect}connection: close\r\n\r\n")).await;
        assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    }
}
