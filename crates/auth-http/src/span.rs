//! One tracing span for each request.

use std::time::Instant;

use auth_core::domain::UserId;
use bytes::Bytes;
use http::{Method, Response};
use tracing::field::{Empty, display};
use tracing::{Instrument, Span};

use crate::route::{Operation, Route};

/// Which operation answered: an extension of its reply, for whoever counts requests.
///
/// The route's, also where the request was refused before the operation had its turn. Replies to requests that no route
/// takes have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// What was asked for.
    pub operation: Operation,
    /// The place of its profile among [`AuthHttp::profiles`](crate::AuthHttp::profiles); `None` for what is at the
    /// server's root.
    pub profile: Option<usize>,
}

/// Answers a request by `work`, in a span `request`.
///
/// - It has the route's pattern, never the path, which may hold ids, and nothing of query, headers and body, which may hold
///   tokens (AU2).
/// - At its end, status and latency are noted in it, and one event at level `debug` tells of it.
pub(crate) async fn answer(
    route: &Route,
    method: &Method,
    request_id: &str,
    work: impl Future<Output = Response<Bytes>>,
) -> Response<Bytes> {
    let span = tracing::info_span!(
        "request",
        request_id,
        %method,
        route = route.path,
        operation = ?route.operation,
        user = Empty,
        status = Empty,
        latency_ms = Empty,
    );
    let begun = Instant::now();
    let answer = async {
        let mut response = work.await;
        let profile = (!route.operation.is_at_root()).then_some(route.profile);
        response.extensions_mut().insert(Answered { operation: route.operation, profile });
        note_end(&response, begun);
        response
    };
    answer.instrument(span).await
}

/// The same for a request that no route takes.
pub(crate) fn unrouted(method: &Method, request_id: &str, work: impl FnOnce() -> Response<Bytes>) -> Response<Bytes> {
    let begun = Instant::now();
    tracing::info_span!("request", request_id, %method, status = Empty, latency_ms = Empty).in_scope(|| {
        let response = work();
        note_end(&response, begun);
        response
    })
}

/// Notes whose request this is. Nothing happens outside of such a span.
pub(crate) fn note_user(user: UserId) {
    Span::current().record("user", display(user));
}

fn note_end(response: &Response<Bytes>, begun: Instant) {
    let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Span::current().record("status", response.status().as_u16()).record("latency_ms", latency_ms);
    tracing::debug!("answered");
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use auth_core::adapter::SystemEntropy;
    use auth_core::domain::Timestamp;
    use futures_util::FutureExt;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Log {
        type Writer = Self;
        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// What is logged at any level while `work` runs.
    fn logged(work: impl FnOnce()) -> String {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        tracing::subscriber::with_default(subscriber.with_writer(log.clone()).finish(), work);
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    // AU2: the pattern of the path, and nothing that the client made up but the request id.
    #[test]
    fn au2_a_span_names_route_status_and_user() {
        let route = Route::new(Method::DELETE, "/v1/auth/sessions/{id}".into(), Operation::EndSession);
        let user = UserId::new(Timestamp::from_micros(0), &SystemEntropy);
        let log = logged(|| {
            let work = async {
                note_user(user);
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = http::StatusCode::NO_CONTENT;
                response
            };
            let response = answer(&route, &Method::DELETE, "r1", work).now_or_never().unwrap();
            assert_eq!(
                response.extensions().get(),
                Some(&Answered { operation: Operation::EndSession, profile: Some(0) })
            );
        });
        let fields =
            [r#"request_id="r1""#, "method=DELETE", r#"route="/v1/auth/sessions/{id}""#, "operation=EndSession"];
        let outcome = [format!("user={user}"), "status=204".into(), "latency_ms=".into()];
        for field in fields.iter().copied().chain(outcome.iter().map(String::as_str)) {
            assert!(log.contains(field), "{field}: {log}");
        }
        assert_eq!(log.lines().count(), 1, "{log}");
    }

    #[test]
    fn requests_to_nowhere_have_one_too() {
        let log = logged(|| {
            let response = unrouted(&Method::GET, "r2", || Response::new(Bytes::new()));
            assert_eq!(response.extensions().get::<Answered>(), None);
        });
        assert!(log.contains(r#"request_id="r2""#) && log.contains("status=200"), "{log}");
    }
}
