//! Accounts for staff only.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis::domain::{Email, User};
use portcullis::port::{Policy, Veto};

/// The company's list of people: the application's own.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Directory: Debug + Send + Sync {
    /// Whether the address is that of somebody who works here.
    async fn has(&self, email: &Email) -> bool;
}

/// Lets those have an account, and use it, who are in the directory.
#[derive(Debug)]
pub struct StaffOnly {
    /// Who works here.
    pub directory: Arc<dyn Directory>,
}

impl StaffOnly {
    async fn judge(&self, email: &Email) -> Result<(), Veto> {
        if self.directory.has(email).await { Ok(()) } else { Err(Veto::new("Accounts are for staff.")) }
    }
}

#[async_trait]
impl Policy for StaffOnly {
    async fn may_register(&self, email: &Email) -> Result<(), Veto> {
        self.judge(email).await
    }

    async fn may_sign_in(&self, user: &User) -> Result<(), Veto> {
        self.judge(&user.email).await
    }

    async fn may_change_email(&self, _: &User, to: &Email) -> Result<(), Veto> {
        self.judge(to).await
    }
}

#[cfg(test)]
mod tests {
    use portcullis::access_token::HmacSecret;
    use portcullis::domain::{Attributes, Context, Password};
    use portcullis::flow::register::{RegisterError, Registration, register};
    use portcullis::keys::{KeyRing, Pepper};
    use portcullis::port::{Change, MockPasswordHasher, MockStore};
    use portcullis::{Auth, Parts, Settings, Signing};

    use super::*;

    /// Nobody works here but Ann.
    fn policy() -> StaffOnly {
        let mut directory = MockDirectory::new();
        directory.expect_has().returning(|email| email.canonical() == "ann@example.com");
        StaffOnly { directory: Arc::new(directory) }
    }

    #[tokio::test]
    async fn staff_may_register() {
        let may = async |email| policy().may_register(&Email::parse(email).unwrap()).await.is_ok();
        assert!(may("Ann@Example.com").await);
        assert!(!may("eve@example.com").await);
    }

    // The policy where it belongs: the flow asks it before anything costs anything.
    #[tokio::test]
    async fn a_stranger_is_turned_away_unhashed() {
        let mut store = MockStore::new();
        // What a start asks.
        store.expect_missing_migrations().return_once(|| Ok(Vec::new()));
        store.expect_pepper_checks().return_once(|| Ok(Vec::new()));
        store
            .expect_commit()
            .withf(|changes| matches!(changes, [Change::AddPepperCheck(_)]))
            .once()
            .returning(|_| Ok(()));
        // The refusal is put on record, and that is all that is written.
        store.expect_commit().withf(|changes| matches!(changes, [Change::Record(_)])).once().returning(|_| Ok(()));

        let ring = KeyRing::new(&Pepper::new("a pepper of thirty-two bytes or more").unwrap(), &[]);
        let parts = Parts::new(Arc::new(store), ring, Settings::new("https://notes.example.com")).unwrap();
        let auth = Auth::start(Parts {
            policy: Arc::new(policy()),
            hasher: Arc::new(MockPasswordHasher::new()),
            signing: Signing::Secret(HmacSecret::new(b"a secret of thirty-two bytes or more").unwrap()),
            ..parts
        });
        let registration = Registration {
            email: Email::parse("eve@example.com").unwrap(),
            password: Password::parse("quietly harvest umbrella".to_owned()).unwrap(),
            name: None,
            locale: None,
            attributes: Attributes::default(),
        };
        let refused = register(&auth.await.unwrap(), registration, &Context::default()).await;
        assert!(matches!(refused, Err(RegisterError::Vetoed(veto)) if veto.reason == "Accounts are for staff."));
    }
}
