//! Which suite ran against which server.

use std::collections::BTreeSet;

/// What the suites reported, and what there was to report.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    /// Lines of suite, backend and version, separated by tabs.
    pub(crate) lines: &'a str,
    /// Name and version of each server that was started.
    pub(crate) started: &'a [(&'a str, &'a str)],
    /// The servers of `--skip`.
    pub(crate) skipped: &'a [&'a str],
}

impl Report<'_> {
    /// The distinct lines as a table, and a row for each server without one.
    pub(crate) fn table(&self) -> String {
        let mut rows = vec![["suite", "backend", "version"]];
        rows.extend(self.rows());
        rows.extend(self.unused().map(|(name, version)| ["NONE RAN", name, version]));
        rows.extend(self.skipped.iter().map(|name| ["SKIPPED", name, "-"]));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let (suite, backend) = (width(0), width(1));
        let lines = rows.iter().map(|row| format!("{:suite$}  {:backend$}  {}", row[0], row[1], row[2]));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The servers that were started in vain: their suites silently did not run.
    pub(crate) fn unused(&self) -> impl Iterator<Item = (&str, &str)> {
        self.started.iter().copied().filter(|(name, _)| !self.rows().iter().any(|[_, backend, _]| backend == name))
    }

    fn rows(&self) -> BTreeSet<[&str; 3]> {
        let row = |line| {
            let mut fields = str::split(line, '\t').map(str::trim);
            [fields.next(), fields.next(), fields.next()].map(Option::unwrap_or_default)
        };
        self.lines.lines().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_each_suite_once_and_names_what_is_missing() {
        let report = Report {
            lines: "store\tsqlite\t3.50.2\nhttp\tpostgres\t15.14\nstore\tsqlite\t3.50.2\n",
            started: &[("postgres", "15.14"), ("smtp", "aiosmtpd 1.4.3")],
            skipped: &["redis"],
        };
        assert_eq!(
            report.table().lines().collect::<Vec<_>>(),
            [
                "suite     backend   version",
                "http      postgres  15.14",
                "store     sqlite    3.50.2",
                "NONE RAN  smtp      aiosmtpd 1.4.3",
                "SKIPPED   redis     -",
            ]
        );
        assert_eq!(report.unused().collect::<Vec<_>>(), [("smtp", "aiosmtpd 1.4.3")]);
    }
}
