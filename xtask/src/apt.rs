use std::io::{IsTerminal, stdin};
use std::process::Command;

use crate::error::Error;
use crate::process;

/// Installs Debian packages, as root or through sudo; refreshes the package lists once.
#[derive(Debug)]
pub(crate) struct Apt {
    allowed: bool,
    refreshed: bool,
}

impl Apt {
    /// `allowed` is false under `--no-install`.
    pub(crate) fn new(allowed: bool) -> Self {
        Self { allowed, refreshed: false }
    }

    /// Whether this run may install anything, by whatever means.
    pub(crate) const fn allowed(&self) -> bool {
        self.allowed
    }

    /// # Errors
    /// If not allowed, if this machine has no apt or gives no root rights, or if apt fails.
    pub(crate) fn install(&mut self, package: &str) -> Result<(), Error> {
        let missing = |why| Error::Failed(format!("not installed ({why}): get Debian's package {package}"));
        if !self.allowed {
            return Err(missing("--no-install"));
        }
        if process::find("apt-get").is_none() {
            return Err(missing("no apt-get here"));
        }
        let prefix =
            prefix(rustix::process::geteuid().is_root(), process::find("sudo").is_some(), stdin().is_terminal())
                .ok_or_else(|| missing("neither root nor sudo"))?;

        if !self.refreshed {
            self.refreshed = true;
            // Lists that can't be refreshed may still do; if they don't, installing says so.
            let _ = run(&prefix, &["update"]);
        }
        run(&prefix, &["install", "--yes", "--no-install-recommends", package])
    }
}

/// What turns `apt-get …` into a command with root rights that asks nothing, or only sudo's password at a terminal.
fn prefix(root: bool, sudo: bool, terminal: bool) -> Option<Vec<&'static str>> {
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive"];
    match (root, sudo, terminal) {
        (true, ..) => Some(quiet.to_vec()),
        (false, true, true) => Some([&["sudo"][..], &quiet].concat()),
        (false, true, false) => Some([&["sudo", "-n"][..], &quiet].concat()),
        (false, false, _) => None,
    }
}

/// Runs in the foreground group, unlike the servers: sudo asks for its password on the terminal.
fn run(prefix: &[&str], arguments: &[&str]) -> Result<(), Error> {
    // Another apt may be at work, for one the nightly upgrade: wait for its lock.
    let command = [prefix, &["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"], arguments].concat();
    eprintln!("xtask: {}", command.join(" "));
    let status = Command::new(command[0]).args(&command[1..]).status().map_err(Error::io("cannot start apt-get"))?;
    if status.success() { Ok(()) } else { Err(Error::Failed(format!("{}: {status}", command.join(" ")))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_needs_no_sudo() {
        assert_eq!(prefix(true, true, true).unwrap(), ["env", "DEBIAN_FRONTEND=noninteractive"]);
    }

    #[test]
    fn sudo_never_waits_for_a_password_nobody_can_type() {
        assert_eq!(prefix(false, true, false).unwrap()[..2], ["sudo", "-n"]);
        assert_eq!(prefix(false, true, true).unwrap()[..2], ["sudo", "env"]);
        assert_eq!(prefix(false, false, true), None);
    }

    #[test]
    fn forbidden_installing_names_the_package() {
        let refused = Apt::new(false).install("postgresql").unwrap_err();
        assert_eq!(refused.to_string(), "not installed (--no-install): get Debian's package postgresql");
    }
}
