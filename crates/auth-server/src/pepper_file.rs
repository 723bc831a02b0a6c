//! The pepper of the embedded database: made once, and kept in a file beside it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use auth_core::keys::Pepper;
use auth_core::port::Entropy;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Failure;

/// The pepper beside `database`, made and written (0600) where there is none.
///
/// # Errors
/// When the file can't be read or written, is open to others, or holds no pepper. It is never overwritten: with another
/// pepper every password in the database would be wrong.
pub(crate) fn load_or_create(database: &Path, entropy: &dyn Entropy) -> Result<Pepper, Failure> {
    let path = path_beside(database);
    if let Some(pepper) = find(&path)? {
        return Ok(pepper);
    }
    let mut bytes = Zeroizing::new([0; 32]);
    entropy.fill(&mut *bytes);
    let text = Zeroizing::new(STANDARD.encode(*bytes));
    match create(&path, &text) {
        Ok(()) => {
            tracing::warn!(
                file = %path.display(),
                "made a pepper; without this file nobody can sign in: back it up, apart from the database"
            );
            parse(&path, &text)
        }
        // Another process that starts at the same moment was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => parse(&path, &read(&path)?),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

/// The pepper beside `database`, which was used with one.
///
/// # Errors
/// As above, and when there is none.
pub(crate) fn load(database: &Path) -> Result<Pepper, Failure> {
    let path = path_beside(database);
    find(&path)?.ok_or_else(|| {
        let file = path.display();
        format!("the store was made under another pepper, and {file} is missing: set AUTH_PEPPER, or put the file back")
            .into()
    })
}

/// The pepper in that file; `None` where there is no file.
fn find(path: &Path) -> Result<Option<Pepper>, Failure> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => parse(path, &text.map_err(|error| format!("{}: {error}", path.display()))?).map(Some),
    }
}

/// Where the pepper of `database` is.
pub(crate) fn path_beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".pepper");
    path.into()
}

/// The text itself is the pepper, as it is in `AUTH_PEPPER`: what the file holds can be moved there.
fn parse(path: &Path, text: &str) -> Result<Pepper, Failure> {
    Ok(Pepper::new(text.trim().as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?)
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut file = File::open(path)?;
    refuse_open_to_others(&file)?;
    let mut text = Zeroizing::new(String::with_capacity(64));
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Written whole under another name, then moved into place: no other process ever reads half a pepper, and none that is
/// there is replaced.
///
/// The other name is random and its file is new and 0600: who may write to the folder can't have laid a link there that
/// leads the pepper into a file of theirs.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new().prefix(".pepper-").tempfile_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist_noclobber(path)?;
    // The name as well: what is kept under this pepper may outlast a power failure.
    File::open(folder)?.sync_all()
}

fn refuse_open_to_others(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o077 != 0 {
        let message = "the pepper is open to other users; make it 0600";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use auth_core::adapter::SystemEntropy;
    use auth_core::keys::{KeyRing, Pepper};

    use super::*;

    fn id(pepper: &Pepper) -> auth_core::domain::KeyId {
        KeyRing::new(pepper, &[]).current()
    }

    // SC3: made once, kept, and for the owner's eyes only.
    #[test]
    fn sc3_a_pepper_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let first = load_or_create(&database, &SystemEntropy).unwrap();
        let again = load_or_create(&database, &SystemEntropy).unwrap();

        assert_eq!(id(&first), id(&again));
        let file = folder.path().join("a.db.pepper");
        let moved = Pepper::new(std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(id(&first), id(&moved), "AUTH_PEPPER takes what the file holds");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");

        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load_or_create(&database, &SystemEntropy).unwrap_err().to_string().contains("0600"));
    }

    // SC3: a link that waits under a name that could be guessed is not followed.
    #[test]
    fn sc3_a_pepper_is_written_to_a_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("theirs");
        for name in [format!("a.db.pepper.{}", std::process::id()), "a.db.pepper.tmp".into(), ".a.db.pepper".into()] {
            std::fs::write(&theirs, "").unwrap();
            std::os::unix::fs::symlink(&theirs, folder.path().join(name)).unwrap();
        }
        load_or_create(&folder.path().join("a.db"), &SystemEntropy).unwrap();
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "");
        assert!(folder.path().join("a.db.pepper").symlink_metadata().unwrap().is_file());
    }

    // SC3: of processes that start at once one makes the pepper, and the others take it.
    #[test]
    fn sc3_one_pepper_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let ids: Vec<_> = std::thread::scope(|scope| {
            let start = || scope.spawn(|| id(&load_or_create(&database, &SystemEntropy).unwrap()));
            let starts: Vec<_> = (0..8).map(|_| start()).collect();
            starts.into_iter().map(|started| started.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|other| *other == ids[0]));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    }

    // SC3: a damaged file is refused, not replaced.
    #[test]
    fn sc3_a_damaged_pepper_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db.pepper");
        for text in ["", "garbage!", "AAAA", &STANDARD.encode([7; 32])] {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(load_or_create(&folder.path().join("a.db"), &SystemEntropy).is_err(), "{text:?}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }
}
