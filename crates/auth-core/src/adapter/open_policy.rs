//! No veto.

use async_trait::async_trait;

use crate::domain::{Email, User};
use crate::port::{Policy, Veto};

/// Lets everybody do what the rules allow.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenPolicy;

#[async_trait]
impl Policy for OpenPolicy {
    async fn may_register(&self, _: &Email) -> Result<(), Veto> {
        Ok(())
    }

    async fn may_sign_in(&self, _: &User) -> Result<(), Veto> {
        Ok(())
    }

    async fn may_change_email(&self, _: &User, _: &Email) -> Result<(), Veto> {
        Ok(())
    }
}
