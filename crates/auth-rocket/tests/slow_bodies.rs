//! IN3: a body that doesn't arrive is not waited for, and one that is too large is not read.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use auth_rocket::Served;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::adapters::on_the_wire::replies_are_framed_at;
use crate::web::{self, Server};

/// Sends a body to what stands behind a server of one's own.
async fn post(body: impl Stream<Item = Bytes> + Send + 'static) -> (StatusCode, serde_json::Value) {
    let served = Served::launch(web::world().await.http()).await.unwrap();
    let request = Request::post("/v1/auth/login").header("content-type", "application/json");
    let body = StreamBody::new(body.map(|piece| Ok::<_, Infallible>(Frame::data(piece))));
    let response = served.answer(request.body(body).unwrap(), None).await;
    (response.status(), serde_json::from_slice(response.body()).unwrap())
}

// Time passes by itself where nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn in3_a_slow_body_times_out() {
    let drip = stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Bytes::from_static(b" "), ()))
    });
    let begun = tokio::time::Instant::now();
    let (status, problem) = post(drip).await;
    assert_eq!((status, &problem["code"]), (StatusCode::REQUEST_TIMEOUT, &"REQUEST_TIMEOUT".into()));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn in3_an_endless_body_is_cut_off() {
    let (status, problem) = post(stream::repeat_with(|| Bytes::from_static(&[b' '; 1000]))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &"PAYLOAD_TOO_LARGE".into()));
}

#[tokio::test]
async fn a_body_in_pieces_is_one_body() {
    let pieces = stream::iter(br#"{"email":"a@example.com"}"#.chunks(3)).map(Bytes::from_static);
    let (status, problem) = post(pieces).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::BAD_REQUEST, &"password".into()));
}

/// Begins a body behind Rocket's own server, and waits for what it says.
async fn begin(head: &str, start: &[u8]) -> (String, Duration) {
    let world = web::world().await;
    let server = Server::new(auth_rocket::service(world.http()));
    let mut stream = TcpStream::connect(server.address().await).await.unwrap();
    let head = format!("POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{head}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), start].concat()).await.unwrap();
    let (mut reply, begun) = (vec![0; 4096], Instant::now());
    let length = stream.read(&mut reply).await.unwrap();
    (String::from_utf8_lossy(&reply[..length]).into_owned(), begun.elapsed())
}

// IN3: the same behind Rocket's own server, which has begun to read.
#[tokio::test]
async fn in3_rockets_server_gives_up_too() {
    let (reply, waited) = begin("content-length: 1000", br#"{"email":"ann@example.com""#).await;
    assert!(reply.starts_with("HTTP/1.1 408 ") && reply.contains("REQUEST_TIMEOUT"), "{reply}");
    assert!((9..14).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test]
async fn in3_rockets_server_cuts_off_too() {
    let chunk = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n1\r\n \r\n"].concat();
    let (reply, _) = begin("transfer-encoding: chunked", &chunk).await;
    assert!(reply.starts_with("HTTP/1.1 413 ") && reply.contains("PAYLOAD_TOO_LARGE"), "{reply}");
}

// IN3: as soon as Rocket lets us see the request, which is with the fourteenth byte of its body.
#[tokio::test]
async fn in3_rockets_server_turns_away_what_is_announced() {
    let (reply, waited) = begin("content-length: 65537", br#"{"email":"ann@"#).await;
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    assert!(waited < Duration::from_secs(2), "{waited:?}");
}

#[tokio::test]
async fn rockets_server_frames_replies() {
    let world = web::world().await;
    replies_are_framed_at(Server::new(auth_rocket::service(world.http())).address().await).await;
}
