use std::process::ExitCode;
use std::{env, fs, io};

use crate::error::Error;
use crate::workspace::{self, Package, cargo};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Pack what isn't committed yet, too.
    #[arg(long)]
    allow_dirty: bool,
}

/// Packs every crate that is published, and builds each from what was packed: as those will who get it from a registry,
/// without the files beside it.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let packages = workspace::packages()?;
    let published: Vec<&Package> = packages.iter().filter(|package| package.is_published()).collect();
    forget(&published)?;
    let mut package = cargo();
    package.args(["package", "--locked"]);
    // A package has no profile of the workspace's; with the same debug information it shares most of the dependencies built
    // for it.
    package.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    if options.allow_dirty {
        package.arg("--allow-dirty");
    }
    for package_of in &published {
        package.args(["--package", &package_of.name]);
    }
    let status = package.status().map_err(Error::io("cannot start cargo"))?;
    if status.success() { Ok(ExitCode::SUCCESS) } else { Err(Error::Failed("a crate can't be packed".into())) }
}

/// Forgets what was unpacked and built before. To cargo a package of one name and version is the same for ever, so it would
/// build the others against what was packed the last time.
fn forget(published: &[&Package]) -> Result<(), Error> {
    let home = env::var_os("CARGO_HOME")
        .map_or_else(|| env::home_dir().map(|home| home.join(".cargo")), |home| Some(home.into()));
    let sources = home.unwrap_or_default().join("registry/src");
    let registries = match fs::read_dir(&sources) {
        Ok(registries) => {
            registries.collect::<io::Result<Vec<_>>>().map_err(Error::io("cannot list the registries"))?
        }
        Err(_) => Vec::new(),
    };
    // A registry in a folder has no host, which is what the others' names begin with.
    for registry in registries.iter().filter(|registry| registry.file_name().as_encoded_bytes().starts_with(b"-")) {
        for package in published {
            let unpacked = registry.path().join(format!("{}-{}", package.name, package.version));
            match fs::remove_dir_all(&unpacked) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("cannot remove what was unpacked")(error));
                }
                _ => {}
            }
        }
    }
    let mut clean = cargo();
    clean.args(["clean", "--quiet"]);
    for package in published {
        clean.args(["--package", &package.name]);
    }
    let status = clean.status().map_err(Error::io("cannot start cargo"))?;
    if status.success() { Ok(()) } else { Err(Error::Failed("what was built before can't be removed".into())) }
}
