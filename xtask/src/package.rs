use std::process::ExitCode;

use crate::error::Error;
use crate::workspace::{self, cargo};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Pack what isn't committed yet, too.
    #[arg(long)]
    allow_dirty: bool,
}

/// Packs every crate that is published, and builds each from what was packed: as those will who get it from a registry,
/// without the files beside it.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let mut package = cargo();
    package.args(["package", "--locked"]);
    // A package has no profile of the workspace's; with the same debug information it shares most of the dependencies built
    // for it.
    package.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    if options.allow_dirty {
        package.arg("--allow-dirty");
    }
    for published in workspace::packages()?.iter().filter(|package| package.is_published()) {
        package.args(["--package", &published.name]);
    }
    let status = package.status().map_err(Error::io("cannot start cargo"))?;
    if status.success() { Ok(ExitCode::SUCCESS) } else { Err(Error::Failed("a crate can't be packed".into())) }
}
