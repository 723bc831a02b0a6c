use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use crate::apt::Apt;
use crate::error::Error;
use crate::process::{self, find};
use crate::workspace::root;

/// A package from npm, in a folder of its own below `target/tools`.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// What npm is asked for: a range of versions.
    pub(crate) version: &'static str,
}

impl Package {
    /// The folder that JavaScript can `require`, where the package is installed.
    pub(crate) fn module(&self) -> Option<PathBuf> {
        // npm unpacks elsewhere and renames at the end.
        Some(self.folder().join("node_modules").join(self.name)).filter(|module| module.join("package.json").is_file())
    }

    /// The version that is installed.
    pub(crate) fn version(&self) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Manifest {
            version: String,
        }
        let module = self.module().ok_or_else(|| Error::Failed(format!("no {} in its folder", self.name)))?;
        let manifest =
            fs::read_to_string(module.join("package.json")).map_err(Error::io("cannot read package.json"))?;
        let manifest: Manifest =
            serde_json::from_str(&manifest).map_err(|error| Error::Failed(format!("package.json: {error}")))?;
        Ok(manifest.version)
    }

    /// # Errors
    /// If installing isn't allowed, if there is no npm and no way to it, or if npm fails.
    pub(crate) fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        let (folder, requirement) = (self.folder(), format!("{}@{}", self.name, self.version));
        if !apt.allowed() {
            let place = folder.display();
            return Err(Error::Failed(format!(
                "not installed (--no-install): get {requirement} from npm into {place}"
            )));
        }
        if find("npm").is_none() {
            apt.install("npm")?;
        }
        let mut npm = Command::new("npm");
        npm.arg("--prefix").arg(&folder);
        // What a package would run when installed is none of our business: for one, it might download more.
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", &requirement]);
        process::run(&mut npm)
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
        let package = Package { name: "none", version: "~1.0" };
        let refused = package.install(&mut Apt::new(false)).unwrap_err().to_string();
        assert!(refused.starts_with("not installed (--no-install): get none@~1.0 from npm into "), "{refused}");
        assert_eq!(package.module(), None);
    }
}
