use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, io};

use crate::error::Error;
use crate::process;
use crate::workspace::{self, Package, cargo};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Pack what isn't committed yet, too.
    #[arg(long)]
    allow_dirty: bool,
}

/// Packs every crate that is published, and checks what was packed with all features: as those will have it who get it from a
/// registry, without the files beside it.
///
/// Not by cargo's own verification: that builds the dependencies again for each crate. Here the packages are a workspace of their
/// own with our lock file and profiles, so that what was checked of the dependencies for us counts for them.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let packages = workspace::packages()?;
    let published: Vec<&Package> = packages.iter().filter(|package| package.is_published()).collect();
    pack(&published, options)?;

    let target = workspace::target_directory()?;
    let folder = unpack(&published, &target.join("package"))?;
    fs::write(folder.join("Cargo.toml"), manifest(&published)?).map_err(Error::io("cannot write the manifest"))?;
    fs::copy(workspace::root().join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(Error::io("cannot copy the lock file"))?;
    let mut check = cargo();
    check.args(["check", "--workspace", "--all-features", "--offline", "--manifest-path"]);
    check.arg(folder.join("Cargo.toml")).arg("--target-dir").arg(target);
    succeed(&mut check, "a package can't be built")?;
    Ok(ExitCode::SUCCESS)
}

fn pack(published: &[&Package], options: &Options) -> Result<(), Error> {
    let mut package = cargo();
    package.args(["package", "--locked", "--no-verify"]);
    if options.allow_dirty {
        package.arg("--allow-dirty");
    }
    for package_of in published {
        package.args(["--package", &package_of.name]);
    }
    succeed(&mut package, "a crate can't be packed")
}

/// Unpacks what was packed into `packages`, into a folder of its own.
fn unpack(published: &[&Package], packages: &Path) -> Result<PathBuf, Error> {
    let folder = packages.join("unpacked");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("cannot remove what was unpacked before")(error));
        }
        _ => fs::create_dir(&folder).map_err(Error::io("cannot make a folder"))?,
    }
    for package in published {
        // A package's files are all of one day long ago: cargo would take them for unchanged since the last time.
        let mut tar = Command::new("tar");
        tar.args(["--extract", "--gzip", "--touch", "--file"]).arg(packages.join(folder_of(package) + ".crate"));
        process::output(tar.arg("--directory").arg(&folder))?;
    }
    Ok(folder)
}

/// A workspace of the unpacked, each of which finds the others in it.
fn manifest(published: &[&Package]) -> Result<String, Error> {
    let ours = fs::read_to_string(workspace::root().join("Cargo.toml")).map_err(Error::io("cannot read Cargo.toml"))?;
    let mut ours: toml::Table = ours.parse().map_err(|error| Error::Failed(format!("Cargo.toml: {error}")))?;
    ours.retain(|table, _| table == "profile");

    let members: Vec<String> = published.iter().map(|package| folder_of(package)).collect();
    let mut manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\n[patch.crates-io]\n");
    for package in published {
        let _ = writeln!(manifest, "{} = {{ path = {:?} }}", package.name, folder_of(package));
    }
    Ok(manifest + "\n" + &ours.to_string())
}

fn folder_of(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

fn succeed(command: &mut Command, or: &str) -> Result<(), Error> {
    let status = command.status().map_err(Error::io("cannot start cargo"))?;
    if status.success() { Ok(()) } else { Err(Error::Failed(or.into())) }
}
