use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use crate::error::Error;
use crate::workspace::{self, Package, cargo};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Check every crate by itself, with each of its features: as those build it who depend on nothing else of ours. Takes long,
    /// as the dependencies are checked again with the features that this one crate wants of them.
    #[arg(long)]
    alone: bool,
}

/// Checks the published crates without features, and with each feature alone, warnings denied. All features at once are what
/// everything else is run with; `default` and `full` only stand for others.
///
/// All crates are checked together, each feature in those that have it: what they want of their dependencies differs little then
/// from feature to feature, and is checked once. `diesel-mysql` of one is `mysql` of another.
///
/// Uses clippy, whose `-D warnings` leaves the dependencies alone.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let packages = workspace::packages()?;
    let published: Vec<&Package> = packages.iter().filter(|package| package.is_published()).collect();
    let groups: Vec<&[&Package]> = if options.alone { published.chunks(1).collect() } else { vec![&published] };
    let mut failed = Vec::new();
    for packages in groups {
        let all = features(packages);
        for feature in all.iter().map(|feature| stem(feature, &all)).collect::<BTreeSet<_>>() {
            failed.extend(check(packages, feature, &all)?);
        }
    }
    if failed.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Error::Failed(format!("no build: {}", failed.join("; "))))
    }
}

/// Checks `packages` with that feature of `all`, in those that have it. What was checked, if it failed.
fn check(packages: &[&Package], feature: &str, all: &BTreeSet<&str>) -> Result<Option<String>, Error> {
    let mut clippy = cargo();
    clippy.args(["clippy", "--no-deps", "--quiet", "--no-default-features"]);
    let mut having = Vec::new();
    for package in packages {
        clippy.args(["--package", &package.name]);
        let alike = package.features.keys().filter(|name| stem(name, all) == feature);
        having.extend(alike.map(|name| format!("{}/{name}", package.name)));
    }
    for feature in &having {
        clippy.args(["--features", feature]);
    }
    let start = Instant::now();
    let status = clippy.args(["--", "-D", "warnings"]).status().map_err(Error::io("cannot start cargo"))?;

    let what = match &having[..] {
        [] => format!("no feature of {}", names(packages)),
        having => having.join(", "),
    };
    println!("{} {what} ({:.1?})", if status.success() { "ok    " } else { "FAILED" }, start.elapsed());
    Ok((!status.success()).then_some(what))
}

/// None, and each that one of `packages` has.
fn features<'a>(packages: &[&'a Package]) -> BTreeSet<&'a str> {
    let all = packages.iter().flat_map(|package| package.features.keys().map(String::as_str));
    [""].into_iter().chain(all.filter(|feature| !["default", "full"].contains(feature))).collect()
}

/// What a feature is called where it isn't forwarded, if it is.
fn stem<'a>(feature: &'a str, all: &BTreeSet<&str>) -> &'a str {
    let end = feature.rsplit('-').next().unwrap_or_default();
    if all.contains(end) { end } else { feature }
}

fn names(packages: &[&Package]) -> String {
    packages.iter().map(|package| &*package.name).collect::<Vec<_>>().join(", ")
}
