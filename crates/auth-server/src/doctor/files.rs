//! Files with secrets in them, and who may read them.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Facts, Findings};
use crate::config::Config;

/// A file that holds secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretFile {
    pub(crate) path: PathBuf,
    /// Whether anybody but its owner may read or write it.
    pub(crate) is_open: bool,
}

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    for SecretFile { path, .. } in facts.files.iter().filter(|file| file.is_open) {
        findings.warning(
            "files",
            [
                &format!("{} is open to other users of this machine", path.display()),
                "It holds, or may hold, secrets.",
                "Make it 0600.",
            ],
        );
    }
}

/// Those of the files that may hold secrets which are there.
pub(super) fn find(config: &Config, toml: Option<&Path>) -> Vec<SecretFile> {
    let paths = [Some(Path::new(".env")), toml, config.key_file.as_deref(), config.database.file()];
    paths.into_iter().flatten().filter_map(look_at).collect()
}

fn look_at(path: &Path) -> Option<SecretFile> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let is_open = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0;
    #[cfg(not(unix))]
    let is_open = {
        let _ = metadata;
        false
    };
    Some(SecretFile { path: path.to_owned(), is_open })
}
