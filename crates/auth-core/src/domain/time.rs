//! Points in time.

use std::ops::Add;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time, in whole microseconds since the Unix epoch, UTC.
///
/// Comes from the [`Clock`](crate::port::Clock) port only; nothing in the core, and no SQL, asks what time it is.
/// Stores keep it as a 64-bit integer, so that every database orders and compares it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This point moved back by `by`.
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(micros(by)))
    }

    /// Reads RFC 3339, of any offset; `None` for anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1000)).ok().map(Self)
    }

    /// RFC 3339 in UTC, with whole seconds where there is no fraction.
    pub fn to_rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| self.0.to_string())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_read_and_written() {
        let at = |text| Timestamp::parse_rfc3339(text).map(Timestamp::as_micros);
        assert_eq!(at("1970-01-01T00:00:01.0000019Z"), Some(1_000_001));
        assert_eq!(at("1969-12-31T23:59:59.9999999Z"), Some(-1));
        assert_eq!(at("2026-03-01T02:00:00+02:00"), at("2026-03-01T00:00:00Z"));
        for text in ["", "2026-03-01", "2026-03-01 00:00", "2026-02-30T00:00:00Z", "1772323200"] {
            assert_eq!(at(text), None, "{text}");
        }
        let written = "2026-03-01T00:00:00.25Z";
        assert_eq!(Timestamp::parse_rfc3339(written).unwrap().to_rfc3339(), written);
    }
}
