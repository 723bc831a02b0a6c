//! Replies and bodies, between Rocket and the wire.

use std::io::Cursor;

use auth_http::Problem;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use rocket::data::{ByteUnit, Data};
use rocket::http::Status;
use rocket::{Request, Response};

use crate::exchange::Exchange;

/// A complete reply, as Rocket has it. A reply to `HEAD` has its length among the headers, where Rocket leaves it.
pub(crate) fn response<'r>(reply: http::Response<Bytes>) -> Response<'r> {
    let (head, body) = reply.into_parts();
    let mut response = Response::new();
    response.set_status(Status::new(head.status.as_u16()));
    for (name, value) in &head.headers {
        // Beside those of that name: there may be several cookies.
        response.adjoin_raw_header(name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    if !body.is_empty() {
        response.set_sized_body(body.len(), Cursor::new(body));
    }
    response
}

/// The whole body, if it is no larger than `max` and doesn't keep us waiting.
pub(crate) async fn read(request: &Request<'_>, data: Data<'_>, max: usize) -> Result<Bytes, Problem> {
    let exchange = Exchange::of(request);
    if let Some(arrival) = exchange.arrival() {
        return arrival.read(max).await;
    }
    let limit = ByteUnit::from(max);
    let reading = async {
        let read = data.open(limit).into_bytes().await?;
        let is_whole = read.is_complete();
        Ok::<_, std::io::Error>(is_whole.then(|| Bytes::from(read.into_inner())))
    };
    auth_http::read(max, announced(exchange.head(request)), reading).await
}

/// The size that a body is said to have.
fn announced(head: &Parts) -> Option<u64> {
    head.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
