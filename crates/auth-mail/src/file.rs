//! Mail into a folder.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use auth_core::domain::{Mail, Timestamp};
use auth_core::port::{MailError, Mailer};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::{Composer, Message};

/// Writes each mail into a folder, as a file `….eml` that every mail program opens. For development and tests.
///
/// - Names sort by time: `2026-11-20T10-31-00.000000Z-<mail id>.eml`.
/// - A file appears whole or not at all; until then its name begins with a dot.
/// - Files are for their owner only (0600), and so is the folder (0700) where this makes it.
#[derive(Debug)]
pub struct FileMailer {
    folder: PathBuf,
    composer: Composer,
}

impl FileMailer {
    /// Writes into `folder`, which is made when it isn't there.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn new(folder: impl Into<PathBuf>, composer: Composer) -> io::Result<Self> {
        let folder = folder.into();
        make_folder(&folder)?;
        Ok(Self { folder, composer })
    }
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.composer.compose(mail)?;
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || write(&folder, &message)).await.map_err(io::Error::other);
        written.flatten().map_err(|error| MailError::Transient(format!("{}: {error}", self.folder.display())))
    }
}

fn write(folder: &Path, message: &Message) -> io::Result<()> {
    // Somebody may have cleared it away since.
    make_folder(folder)?;
    let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
    file.write_all(message.mime())?;
    file.as_file().sync_all()?;
    file.persist(folder.join(file_name(message)))?;
    Ok(())
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn file_name(message: &Message) -> String {
    format!("{}-{}.eml", sortable(message.composed_at()), message.id())
}

/// Like RFC 3339, but always with six decimals, so that later sorts later, and without colons, which Windows forbids.
fn sortable(at: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]-[minute]-[second].[subsecond digits:6]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.as_micros()) * 1000)
        .ok()
        .and_then(|at| at.format(&format).ok())
        .unwrap_or_else(|| at.as_micros().to_string())
}
