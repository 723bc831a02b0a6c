//! The file of an SQLite database.

use std::io;
use std::path::Path;

/// Makes the file, for its owner only, before SQLite would with everybody's rights; the log files take after it. Does
/// nothing where there is one.
///
/// # Errors
/// Where the file can't be made.
pub fn create(file: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome.map(drop),
    }
}
