//! What cargo knows about this workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde::Deserialize;

use crate::error::Error;
use crate::process;

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "the invariants look at it"))]
    pub(crate) manifest_path: PathBuf,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the invariants look at it"))]
    pub(crate) dependencies: Vec<Dependency>,
    /// The registries that it may go to; empty: none, `None`: any.
    publish: Option<Vec<String>>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the invariants look at it"))]
    pub(crate) description: Option<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the invariants look at it"))]
    pub(crate) readme: Option<PathBuf>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the invariants look at it"))]
    pub(crate) keywords: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the invariants look at it"))]
    pub(crate) metadata: serde_json::Value,
}

impl Package {
    /// Whether it is for others to depend on.
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(not(test), expect(dead_code, reason = "the invariants look at it"))]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev` or `build`; `None` is a dependency of the library itself.
    pub(crate) kind: Option<String>,
    pub(crate) req: String,
    /// Set for members of the workspace.
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

impl Metadata {
    fn read() -> Result<Self, Error> {
        let json = process::output(cargo().args(["metadata", "--format-version=1", "--no-deps"]))?;
        serde_json::from_str(&json).map_err(|error| Error::Failed(format!("cargo metadata: {error}")))
    }
}

/// The members of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>, Error> {
    Ok(Metadata::read()?.packages)
}

/// Where cargo builds.
pub(crate) fn target_directory() -> Result<PathBuf, Error> {
    Ok(Metadata::read()?.target_directory)
}

/// cargo, at the root of the workspace, as if called from the shell.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = process::tethered(Path::new(&program), Signal::TERM, None);
    cargo.current_dir(root());
    // `cargo run` tells xtask about xtask; build scripts that watch these variables would build again and again.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    cargo
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}
