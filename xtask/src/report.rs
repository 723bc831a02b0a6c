//! Which suite ran against which backend.

use std::collections::{BTreeMap, BTreeSet};
use std::{fmt, iter};

/// Every suite, with each backend that it has to run against. A suite that nobody hears of has silently stopped running;
/// so a new one is listed here.
const SUITES: &[(&str, &str)] = &[
    ("http/axum", "mariadb"),
    ("http/axum", "memory"),
    ("http/axum", "postgres"),
    ("http/axum", "redis"),
    ("http/axum", "sqlite"),
    ("http/rocket", "mariadb"),
    ("http/rocket", "memory"),
    ("http/rocket", "postgres"),
    ("http/rocket", "sqlite"),
    ("mail", "ses"),
    ("mail", "smtp"),
    ("axum-sessions", "browser"),
    ("cache", "redis"),
    ("cache", "redis-cluster"),
    ("custom-store", "redb"),
    ("profile-service", "browser"),
    ("profile-sessions", "browser"),
    ("profile-two-step", "browser"),
    ("server", "mariadb"),
    ("server", "postgres"),
    ("server", "redis"),
    ("server", "redis-cluster"),
    ("server", "schemathesis"),
    ("server", "ses"),
    ("server", "smtp"),
    ("server", "sqlite"),
    ("server-diesel", "mariadb"),
    ("server-diesel", "postgres"),
    ("server-diesel", "sqlite"),
    ("store", "mariadb"),
    ("store", "memory"),
    ("store", "postgres"),
    ("store", "sqlite"),
    ("store-diesel", "mariadb"),
    ("store-diesel", "postgres"),
    ("store-diesel", "sqlite"),
];

/// What the suites reported, beside what there was to report.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    suites: &'a [Suite<'a>],
    rows: BTreeMap<Suite<'a>, Ran<'a>>,
}

/// Suite and backend.
type Suite<'a> = (&'a str, &'a str);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ran<'a> {
    /// Against these versions.
    Yes(BTreeSet<&'a str>),
    /// Its backend was left out by `--skip`.
    Skipped,
    No,
}

impl<'a> Report<'a> {
    /// Reads lines of suite, backend and version, separated by tabs. `skipped` are the backends left out.
    pub(crate) fn read(lines: &'a str, skipped: &[String]) -> Self {
        Self::of(SUITES, lines, skipped)
    }

    fn of(suites: &'a [Suite<'a>], lines: &'a str, skipped: &[String]) -> Self {
        let unheard = |backend: &str| if skipped.iter().any(|name| name == backend) { Ran::Skipped } else { Ran::No };
        let mut rows: BTreeMap<_, _> = suites.iter().map(|suite| (*suite, unheard(suite.1))).collect();
        for line in lines.lines() {
            let mut fields = line.split('\t').map(str::trim);
            let [suite, backend, version] = [(); 3].map(|()| fields.next().unwrap_or_default());
            match rows.entry((suite, backend)).or_insert(Ran::No) {
                Ran::Yes(versions) => _ = versions.insert(version),
                unheard => *unheard = Ran::Yes(BTreeSet::from([version])),
            }
        }
        Self { suites, rows }
    }

    /// The same without what did not run: a selection of tests may well leave suites out.
    pub(crate) fn of_selection(mut self) -> Self {
        self.rows.retain(|_, ran| *ran != Ran::No);
        self
    }

    /// A row for each suite and backend.
    pub(crate) fn table(&self) -> String {
        let heading = ("suite", "backend", "version".to_owned());
        let cells = |(suite, ran): (&Suite<'a>, &Ran<'a>)| (suite.0, suite.1, ran.to_string());
        let rows: Vec<_> = iter::once(heading).chain(self.rows.iter().map(cells)).collect();
        let width = |cell: fn(&(&str, &str, String)) -> usize| rows.iter().map(cell).max().unwrap_or_default();
        let (suites, backends) = (width(|row| row.0.len()), width(|row| row.1.len()));
        let lines = rows.iter().map(|(suite, backend, ran)| format!("{suite:suites$}  {backend:backends$}  {ran}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What is wrong: suites that did not run, and suites that would not be missed.
    pub(crate) fn errors(&self) -> Vec<String> {
        let missing = self.rows.iter().filter(|(_, ran)| **ran == Ran::No);
        let missing = missing.map(|((suite, backend), _)| format!("{suite} did not run against {backend}"));
        let unlisted = self.rows.keys().filter(|suite| !self.suites.contains(suite));
        let unlisted =
            unlisted.map(|(suite, backend)| format!("{suite} ran against {backend}, which {} doesn't list", file!()));
        missing.chain(unlisted).collect()
    }
}

impl fmt::Display for Ran<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(versions) => f.write_str(&versions.iter().copied().collect::<Vec<_>>().join(", ")),
            Self::Skipped => f.write_str("SKIPPED"),
            Self::No => f.write_str("DID NOT RUN"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend;

    const FEW: &[Suite<'_>] = &[("http", "postgres"), ("mail", "smtp"), ("server", "redis"), ("store", "sqlite")];
    const LINES: &str = "store\tsqlite\t3.50.2\nhttp\tpostgres\t15.14\nstore\tsqlite\t3.50.2\nstore\tmemory\t1.0\n";

    fn report() -> Report<'static> {
        Report::of(FEW, LINES, &["redis".to_owned()])
    }

    #[test]
    fn table_has_each_suite_once_and_names_what_is_missing() {
        assert_eq!(
            report().table().lines().collect::<Vec<_>>(),
            [
                "suite   backend   version",
                "http    postgres  15.14",
                "mail    smtp      DID NOT RUN",
                "server  redis     SKIPPED",
                "store   memory    1.0",
                "store   sqlite    3.50.2",
            ]
        );
        assert!(!report().of_selection().table().contains("smtp"));
    }

    #[test]
    fn a_suite_that_is_gone_or_unknown_is_an_error() {
        let unlisted = "store ran against memory, which xtask/src/report.rs doesn't list";
        assert_eq!(report().errors(), ["mail did not run against smtp", unlisted]);
    }

    #[test]
    fn every_backend_has_a_suite() {
        for backend in backend::ALL {
            assert!(SUITES.iter().any(|(_, name)| *name == backend.name()), "{}", backend.name());
        }
    }
}
