use std::process::ExitCode;
use std::time::Instant;

use crate::error::Error;
use crate::workspace::{self, cargo};

/// Checks each published crate without features and with each of its features alone, warnings denied. All features at once are
/// what everything else is run with; a feature that only stands for others brings nothing of its own.
///
/// Uses clippy, whose `-D warnings` leaves the dependencies alone and shares them with the lint run.
pub(crate) fn run() -> Result<ExitCode, Error> {
    let mut failed = Vec::new();
    for package in workspace::packages()?.iter().filter(|package| package.is_published()) {
        let features = package.features.keys().map(String::as_str);
        for feature in [""].into_iter().chain(features.filter(|feature| !["default", "full"].contains(feature))) {
            let start = Instant::now();
            let mut clippy = cargo();
            clippy.args(["clippy", "--no-deps", "--quiet", "--package", &package.name, "--no-default-features"]);
            clippy.args(["--features", feature, "--", "-D", "warnings"]);
            let status = clippy.status().map_err(Error::io("cannot start cargo"))?;

            let what = format!("{} with {}", package.name, if feature.is_empty() { "no feature" } else { feature });
            println!("{} {what} ({:.1?})", if status.success() { "ok    " } else { "FAILED" }, start.elapsed());
            if !status.success() {
                failed.push(what);
            }
        }
    }
    if failed.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Error::Failed(format!("no build: {}", failed.join(", "))))
    }
}
