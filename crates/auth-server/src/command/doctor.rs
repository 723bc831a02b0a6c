//! `doctor`: what is weak, and what is missing.

use std::path::Path;

use serde_json::json;

use super::output::Format;
use crate::config::{Config, Mistakes};
use crate::doctor::{Facts, Finding, Severity, examine};
use crate::{Failure, log};

/// Says what it finds, and fails where the server doesn't work or isn't safe.
pub(crate) async fn run(config: Result<Config, Mistakes>, toml: Option<&Path>, format: Format) -> Result<(), Failure> {
    let findings = match config {
        Ok(config) => {
            log::start(&config.log)?;
            examine(&Facts::gather(config, toml).await)
        }
        Err(Mistakes(mistakes)) => mistakes.into_iter().map(mistake).collect(),
    };
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let all: Vec<_> = findings.iter().map(Finding::to_json).collect();
    format.print(&json!({ "findings": all, "errors": errors, "warnings": warnings }), || match &findings[..] {
        [] => "nothing found".to_owned(),
        findings => findings.iter().map(paragraph).collect::<Vec<_>>().join("\n"),
    });
    match errors {
        0 => Ok(()),
        1 => Err("doctor found an error".into()),
        errors => Err(format!("doctor found {errors} errors").into()),
    }
}

fn mistake(found: String) -> Finding {
    Finding {
        severity: Severity::Error,
        check: "configuration",
        found,
        meaning: "The server doesn't start, and nothing else was looked at.".into(),
        advice: "Correct the setting; docs/src/configuration.md describes each.".into(),
    }
}

fn paragraph(finding: &Finding) -> String {
    let Finding { severity, check, found, meaning, advice } = finding;
    let severity = severity.as_str();
    format!("{severity} ({check}): {found}\n    {meaning}\n    {advice}\n")
}
