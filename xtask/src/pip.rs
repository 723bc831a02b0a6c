use std::path::PathBuf;
use std::process::Command;

use crate::apt::Apt;
use crate::error::Error;
use crate::process::{self, find};
use crate::workspace::root;

/// A package from PyPI, in a virtual environment of its own below `target/tools`.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// What pip is asked for: name, extras, versions.
    pub(crate) requirement: &'static str,
}

impl Package {
    /// A program that the package brings, where it is installed.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        // pip installs a package after those it needs: once its program is there, all is.
        Some(self.folder().join("bin").join(name)).filter(|program| program.is_file())
    }

    /// The version that is installed.
    pub(crate) fn version(&self) -> Result<String, Error> {
        let mut python = Command::new(self.folder().join("bin/python"));
        let version = format!("import importlib.metadata as m; print(m.version({:?}))", self.name);
        process::output(python.args(["-c", &version])).map(|version| version.trim().to_owned())
    }

    /// # Errors
    /// If installing isn't allowed, if there is no Python and no way to it, or if pip fails.
    pub(crate) fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        if !apt.allowed() {
            return Err(Error::Failed(format!(
                "not installed (--no-install): get {} from PyPI into {}",
                self.requirement,
                self.folder().display()
            )));
        }
        // Debian's Python comes without.
        let has_venv = process::output(Command::new("python3").args(["-c", "import ensurepip"])).is_ok();
        if find("python3").is_none() || !has_venv {
            apt.install("python3-venv")?;
        }
        let folder = self.folder();
        process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        process::run(pip.args(["--quiet", "--disable-pip-version-check", "install", self.requirement]))
    }

    fn folder(&self) -> PathBuf {
        root().join("target/tools").join(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_installing_names_the_package() {
        let package = Package { name: "none", requirement: "none[server]~=1.0" };
        let refused = package.install(&mut Apt::new(false)).unwrap_err().to_string();
        assert!(
            refused.starts_with("not installed (--no-install): get none[server]~=1.0 from PyPI into "),
            "{refused}"
        );
        assert_eq!(package.program("none"), None);
    }
}
