//! Who may have an account.

use async_trait::async_trait;
use portcullis::domain::{Email, User};
use portcullis::port::{Policy, Veto};

/// Those whose mail goes to the company.
#[derive(Debug)]
pub(crate) struct Staff;

#[async_trait]
impl Policy for Staff {
    async fn may_register(&self, email: &Email) -> Result<(), Veto> {
        match email.canonical().ends_with("@example.com") {
            true => Ok(()),
            false => Err(Veto::new("Only addresses at example.com may sign up.")),
        }
    }

    async fn may_sign_in(&self, _: &User) -> Result<(), Veto> {
        Ok(())
    }

    async fn may_change_email(&self, _: &User, to: &Email) -> Result<(), Veto> {
        self.may_register(to).await
    }
}
