//! Where a database is.

use std::io;
use std::path::PathBuf;

use diesel::ConnectionError;
use percent_encoding::percent_decode_str;

use crate::error::Error;

/// A database file, or a database in memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    /// As the URL spells it, percent-encoded.
    path: String,
    /// What the URL says behind a question mark.
    parameters: Option<String>,
}

impl File {
    /// Reads `sqlite://path`, `sqlite:path` or `sqlite::memory:`, perhaps with parameters that SQLite's own URIs have.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let Some(rest) = url.strip_prefix("sqlite:") else {
            return Err(ConnectionError::InvalidConnectionUrl("it must begin with sqlite:".into()).into());
        };
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, parameters) = match rest.split_once('?') {
            Some((path, parameters)) => (path, Some(parameters.to_owned())),
            None => (rest, None),
        };
        if path.is_empty() {
            return Err(ConnectionError::InvalidConnectionUrl("it names no database".into()).into());
        }
        Ok(Self { path: path.to_owned(), parameters })
    }

    pub(super) fn is_in_memory(&self) -> bool {
        self.path == ":memory:" || self.parameters.as_deref().is_some_and(|words| words.contains("mode=memory"))
    }

    /// Makes it, for its owner only, where there is none.
    pub(super) fn create(&self) -> Result<(), Error> {
        if self.is_in_memory() {
            return Ok(());
        }
        let path = percent_decode_str(&self.path).decode_utf8().map_err(|error| Error::Other(error.into()))?;
        let away = |error: io::Error| ConnectionError::BadConnection(error.to_string()).into();
        auth_store::sqlite::create(&PathBuf::from(&*path)).map_err(away)
    }

    /// As SQLite's own URI.
    pub(super) fn url(&self) -> String {
        match &self.parameters {
            _ if self.path == ":memory:" => self.path.clone(),
            Some(parameters) => format!("file:{}?{parameters}", self.path),
            None => format!("file:{}", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_elsewhere() {
        for (url, is_in_memory, own) in [
            ("sqlite://app.db", false, "file:app.db"),
            ("sqlite:///var/lib/a%20b.db", false, "file:/var/lib/a%20b.db"),
            ("sqlite:app.db?mode=ro", false, "file:app.db?mode=ro"),
            ("sqlite::memory:", true, ":memory:"),
            ("sqlite://:memory:", true, ":memory:"),
            ("sqlite://x?mode=memory", true, "file:x?mode=memory"),
        ] {
            let file = File::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!((file.is_in_memory(), &*file.url()), (is_in_memory, own), "{url}");
        }
        assert!(File::parse("postgres://x").is_err() && File::parse("sqlite://").is_err());
    }
}
