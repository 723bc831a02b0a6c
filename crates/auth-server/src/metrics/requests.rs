//! Requests by what they asked for and what came of it.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use auth_http::{Answered, Operation, Profile};
use axum::response::Response;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Requests by what they asked for and what came of it. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    profiles: Arc<[Arc<str>]>,
    answered: Family<Outcome, Counter>,
    duration: Family<Asked, Histogram, fn() -> Histogram>,
}

/// What a request asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    operation: Name,
    /// `none` for what is outside of every profile.
    profile: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    #[prometheus(flatten)]
    asked: Asked,
    /// `2xx`, and so on.
    status: &'static str,
}

/// The operation of a request; `none` where no route took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Name(Option<Operation>);

impl EncodeLabelValue for Name {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            Some(operation) => write!(encoder, "{operation:?}"),
            None => encoder.write_str("none"),
        }
    }
}

/// Seconds: from a cached read to a queue of hashes and the timeouts beyond.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

impl Requests {
    pub(super) fn register(profiles: &[Profile], registry: &mut Registry) -> Self {
        let requests = Self {
            profiles: profiles.iter().map(|profile| Arc::from(profile.name.as_str())).collect(),
            answered: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
        };
        registry.register("requests", "Requests answered", requests.answered.clone());
        let help = "From a request's head to its reply's";
        registry.register_with_unit("request_duration", help, Unit::Seconds, requests.duration.clone());
        requests
    }

    /// Counts a request that `response` answers.
    pub(super) fn count(&self, response: &Response, took: Duration) {
        let answered = response.extensions().get::<Answered>();
        let profile = answered.and_then(|answered| self.profiles.get(answered.profile?));
        let asked = Asked {
            operation: Name(answered.map(|answered| answered.operation)),
            profile: profile.cloned().unwrap_or_else(|| "none".into()),
        };
        self.duration.get_or_create(&asked).observe(took.as_secs_f64());
        let status = match response.status().as_u16() {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.answered.get_or_create(&Outcome { asked, status }).inc();
    }
}
