//! Weak settings, and what the server needs and can't reach: found by looking, changing nothing.

mod facts;
mod files;
mod keys;
mod machine;
mod mail;
mod network;
mod sessions;
mod shared;
mod store;

use serde_json::{Value, json};

pub(crate) use facts::Facts;

/// Something that whoever runs this server should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// Names what was looked at, the same in every version: `proxies`.
    pub(crate) check: &'static str,
    /// What is so.
    pub(crate) found: String,
    /// What that means.
    pub(crate) meaning: String,
    /// What to do.
    pub(crate) advice: String,
}

/// How much a finding matters. The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The server doesn't work, or isn't safe.
    Error,
    /// It is less safe than it could be.
    Warning,
    /// Worth knowing.
    Note,
}

/// What `facts` show, the worst first.
pub(crate) fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Findings::default();
    network::examine(facts, &mut findings);
    keys::examine(facts, &mut findings);
    sessions::examine(facts, &mut findings);
    mail::examine(facts, &mut findings);
    store::examine(facts, &mut findings);
    shared::examine(facts, &mut findings);
    machine::examine(facts, &mut findings);
    files::examine(facts, &mut findings);
    findings.0.sort_by_key(|finding| finding.severity);
    findings.0
}

/// What is found, as it is found.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, check: &'static str, texts: [&str; 3]) {
        self.add(Severity::Error, check, texts);
    }

    fn warning(&mut self, check: &'static str, texts: [&str; 3]) {
        self.add(Severity::Warning, check, texts);
    }

    fn note(&mut self, check: &'static str, texts: [&str; 3]) {
        self.add(Severity::Note, check, texts);
    }

    /// `texts`: what is so, what that means, what to do.
    fn add(&mut self, severity: Severity, check: &'static str, texts: [&str; 3]) {
        let [found, meaning, advice] = texts.map(str::to_owned);
        self.0.push(Finding { severity, check, found, meaning, advice });
    }
}

impl Severity {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Finding {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "severity": self.severity.as_str(),
            "check": self.check,
            "found": self.found,
            "meaning": self.meaning,
            "advice": self.advice,
        })
    }
}

#[cfg(test)]
mod tests;
