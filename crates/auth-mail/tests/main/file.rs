//! Mail into a folder.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use auth_core::domain::Timestamp;
use auth_core::port::{Clock, MailError, Mailer};
use auth_mail::{Composer, FileMailer, Sender, Templates};

use crate::given::{composer, mail, reset, verify};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn writes_the_message_whole_under_a_name_that_tells_time_and_mail() {
    let folder = tempfile::tempdir().unwrap();
    let mail = mail(verify());
    FileMailer::new(folder.path(), composer()).unwrap().send(&mail).await.unwrap();

    assert_eq!(names(folder.path()), ["2026-11-20T10-31-00.250000Z-01991c2f-0123-7456-8789-012345678901.eml"]);
    let written = fs::read(folder.path().join(&names(folder.path())[0])).unwrap();
    assert_eq!(written, composer().compose(&mail).unwrap().mime());
}

#[cfg(unix)]
#[tokio::test]
async fn folder_and_files_are_their_owners_only() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/mail");
    FileMailer::new(&folder, composer()).unwrap().send(&mail(verify())).await.unwrap();

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join(&names(&folder)[0])), 0o600);
}

/// A clock that goes on by a quarter of a second whenever it is read.
#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_795_170_660_000_000 + self.0.fetch_add(250_000, Ordering::Relaxed))
    }
}

#[tokio::test]
async fn names_sort_by_time() {
    let folder = tempfile::tempdir().unwrap();
    let sender = Sender::parse("no-reply@acme.example").unwrap();
    let clock = Arc::new(Ticking(AtomicI64::new(0)));
    let mailer = FileMailer::new(folder.path(), Composer::new(sender, Templates::default(), clock)).unwrap();
    for _ in 0..6 {
        mailer.send(&mail(reset())).await.unwrap();
    }
    let times: Vec<_> = names(folder.path()).iter().map(|name| name[17..27].to_owned()).collect();
    assert_eq!(times, ["00.000000Z", "00.250000Z", "00.500000Z", "00.750000Z", "01.000000Z", "01.250000Z"]);
}

#[tokio::test]
async fn a_folder_that_was_cleared_away_is_made_again() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("mail");
    let mailer = FileMailer::new(&folder, composer()).unwrap();
    fs::remove_dir(&folder).unwrap();
    mailer.send(&mail(verify())).await.unwrap();
    assert_eq!(names(&folder).len(), 1);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_tried_again_later() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("mail");
    let mailer = FileMailer::new(&folder, composer()).unwrap();
    fs::remove_dir(&folder).unwrap();
    fs::write(&folder, "in the way").unwrap();
    assert!(matches!(mailer.send(&mail(verify())).await, Err(MailError::Transient(_))));
    assert!(FileMailer::new(&folder, composer()).is_err());
}
