//! Mail to two places.

use std::fs;
use std::sync::Arc;

use async_trait::async_trait;
use auth_core::domain::Mail;
use auth_core::port::{MailError, Mailer};
use auth_mail::{FileMailer, Tee};

use crate::given::{composer, mail, verify};

/// A mailer out of order.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl Mailer for Broken {
    async fn send(&self, _: &Mail) -> Result<(), MailError> {
        Err(MailError::Transient("out of order".to_owned()))
    }
}

#[tokio::test]
async fn both_get_the_mail_and_a_failure_of_either_shows() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let to = |folder: &tempfile::TempDir| Arc::new(FileMailer::new(folder.path(), composer()).unwrap());
    let written = |folder: &tempfile::TempDir| fs::read_dir(folder.path()).unwrap().count();

    Tee::new(to(&one), to(&two)).send(&mail(verify())).await.unwrap();
    assert_eq!((written(&one), written(&two)), (1, 1));

    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(Tee::new(Arc::new(Broken), to(&one)).send(&mail(verify())).await.is_err());
    assert!(Tee::new(to(&two), Arc::new(Broken)).send(&mail(verify())).await.is_err());
    assert_eq!((written(&one), written(&two)), (1, 1));
}
