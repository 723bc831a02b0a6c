//! Taking values out of the sources, one at a time.

use std::str::FromStr;
use std::time::Duration;

use url::Url;
use zeroize::Zeroizing;

use super::Source;

/// Takes values out of the source. A value that can't be read is noted, and its default goes on.
pub(super) struct Reader {
    pub(super) source: Source,
    pub(super) mistakes: Vec<String>,
    /// Secrets seen so far, by name.
    secrets: Vec<(&'static str, Zeroizing<String>)>,
}

impl Reader {
    pub(super) fn new(source: Source) -> Self {
        Self { source, mistakes: Vec::new(), secrets: Vec::new() }
    }

    pub(super) fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    pub(super) fn secret(&mut self, name: &'static str) -> Option<Zeroizing<String>> {
        let secret = Zeroizing::new(self.source.take(name)?);
        self.check_secret(name, &secret);
        Some(secret)
    }

    /// Refuses a secret that documentation suggests, or that stands elsewhere too.
    pub(super) fn check_secret(&mut self, name: &'static str, secret: &str) {
        const PLACEHOLDERS: [&str; 6] =
            ["changeme", "change-me", "change_me", "change this", "your-secret", "placeholder"];
        let lower = Zeroizing::new(secret.to_lowercase());
        if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
            self.mistake(format!("{name} is a placeholder, not a secret"));
        }
        // Who learns one of them must not have learnt the others.
        if let Some((other, _)) = self.secrets.iter().find(|(_, seen)| seen.as_bytes().eq(secret.as_bytes())) {
            self.mistake(if *other == name {
                format!("{name} lists one secret twice")
            } else {
                format!("{name} and {other} are the same secret")
            });
        }
        self.secrets.push((name, Zeroizing::new(secret.to_owned())));
    }

    pub(super) fn url(&mut self, name: &'static str) -> Option<String> {
        let text = self.source.take(name)?;
        let is_base = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        };
        match Url::parse(&text) {
            Ok(url) if is_base(&url) => Some(text.trim_end_matches('/').to_owned()),
            _ => {
                self.mistake(format!("{name} must be an address such as https://auth.example.com"));
                None
            }
        }
    }

    pub(super) fn seconds(&mut self, name: &'static str) -> Option<Duration> {
        self.parsed::<u32>(name, "a number of seconds").map(|seconds| Duration::from_secs(seconds.into()))
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &'static str, what: &str) -> Option<T> {
        let value = self.source.take(name)?.parse();
        value.map_err(|_| self.mistake(format!("{name} must be {what}"))).ok()
    }

    /// The first of `choices` is the default.
    pub(super) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> T {
        self.chosen(name, choices).unwrap_or(choices[0].1)
    }

    /// One of `choices`, if any was made.
    pub(super) fn chosen<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.source.take(name)?;
        let choice = choices.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice);
        if choice.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.mistake(format!("{name} must be {}", words.join(" or ")));
        }
        choice
    }

    /// A choice of which this build has only some; the first of them is the default.
    pub(super) fn built<T: Copy>(&mut self, name: &'static str, built: &[(&str, T)]) -> T {
        let default = built[0].1;
        let Some(value) = self.source.take(name) else { return default };
        let choice = built.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice);
        choice.unwrap_or_else(|| {
            let words: Vec<&str> = built.iter().map(|(word, _)| *word).collect();
            self.mistake(format!("{name}: this build has no {value:?}, only {}", words.join(", ")));
            default
        })
    }

    pub(super) fn list<T>(&mut self, name: &'static str, what: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let list = self.source.take(name).unwrap_or_default();
        let mut items = Vec::new();
        for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            match read(text) {
                Some(item) => items.push(item),
                None => self.mistake(format!("{name}: {text:?} is not {what}")),
            }
        }
        items
    }
}
