//! Transcripts of checks, for two adapters to be held to saying the same.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response};

use super::Web;
use super::masked::masked;
use crate::race::RACE;

/// What was sent and what came back, in the order in which it was sent.
#[derive(Clone, Default)]
pub(super) struct Transcript(Arc<Mutex<Vec<Exchange>>>);

/// What two adapters have to say alike.
pub(super) struct Said {
    /// Up to the first race, or to where a client gave up.
    pub(super) alone: Vec<String>,
    /// In the first race.
    pub(super) racers: BTreeSet<String>,
    /// Whether a client gave up before the first race. Whether it comes to that, and when, is chance.
    pub(super) gave_up: bool,
}

struct Exchange {
    race: Option<u64>,
    /// Method and path.
    kind: String,
    request: String,
    /// `None` where the client gave up.
    reply: Option<String>,
}

impl Transcript {
    /// `web`, with what is said noted here.
    pub(super) fn of(&self, web: Arc<dyn Web>) -> Arc<dyn Web> {
        Arc::new(Recorder { web, transcript: self.clone() })
    }

    /// What was said up to the first race, and in it; who wins that is chance, and what comes of it. Likewise up to where a
    /// client gave up, which may have been before or after something happened.
    ///
    /// Of a race it is which replies there were to which kind of request, since its order is chance as well; and nothing where
    /// that `is_chance` too.
    pub(super) fn said(&self, is_chance: bool) -> Said {
        let exchanges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before_races = exchanges.iter().take_while(|exchange| exchange.race.is_none());
        let gave_up = before_races.clone().any(|exchange| exchange.reply.is_none());
        let alone =
            before_races.map_while(|exchange| Some(format!("{}\n\n{}", exchange.request, exchange.reply.as_ref()?)));
        let race = exchanges.iter().find_map(|exchange| exchange.race);
        let racers = exchanges.iter().filter(|exchange| !is_chance && race.is_some() && exchange.race == race);
        let racers = racers.map(|exchange| format!("{}\n\n{:?}", exchange.kind, exchange.reply)).collect();
        Said { alone: alone.collect(), racers, gave_up }
    }

    fn begin(&self, kind: String, request: String) -> usize {
        let mut exchanges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.push(Exchange { race: RACE.try_with(|race| *race).ok(), kind, request, reply: None });
        exchanges.len() - 1
    }

    fn end(&self, place: usize, reply: String) {
        let mut exchanges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exchange) = exchanges.get_mut(place) {
            exchange.reply = Some(reply);
        }
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transcript")
    }
}

/// An adapter that is listened to.
struct Recorder {
    web: Arc<dyn Web>,
    transcript: Transcript,
}

#[async_trait]
impl Web for Recorder {
    async fn send(&self, request: Request<Bytes>, peer: IpAddr) -> Response<Bytes> {
        let is_head = request.method() == Method::HEAD;
        let (method, uri) = (request.method(), request.uri());
        let sent = format!("{method} {uri} from {peer}\n{}", text(request.headers(), request.body(), true));
        let place = self.transcript.begin(masked(&format!("{method} {uri}")), masked(&sent));
        let response = self.web.send(request, peer).await;
        let status = response.status().as_u16();
        let received = format!("{status}\n{}", text(response.headers(), response.body(), is_head));
        self.transcript.end(place, masked(&received));
        response
    }
}

/// Headers, sorted by name, and body.
///
/// Without what is no adapter's: a server that sends replies over a socket adds their length, how they are framed, the date,
/// and that it has enough of the connection. The length of a reply to `HEAD` is of a body that isn't there, and says something.
fn text(headers: &HeaderMap, body: &[u8], with_length: bool) -> String {
    let is_said = |name: &http::HeaderName| {
        ![DATE, TRANSFER_ENCODING, CONNECTION].contains(name) && (with_length || *name != CONTENT_LENGTH)
    };
    let mut lines: Vec<_> = headers
        .iter()
        .filter(|(name, _)| is_said(name))
        .map(|(name, value)| (name.as_str(), format!("{name}: {}", value.as_bytes().escape_ascii())))
        .collect();
    // Stable: several cookies stay in their order.
    lines.sort_by_key(|(name, _)| *name);
    let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
    format!("{}\n\n{}", lines.join("\n"), String::from_utf8_lossy(body))
}
