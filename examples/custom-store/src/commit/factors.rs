//! Statements about second factors.

use async_trait::async_trait;
use auth_core::domain::{FactorId, Factors, Mac, Sealed, TotpSecret, UserId};
use auth_store::commit::{FactorStatements, UserStatements as _};

use crate::record::RecoveryCodes;
use crate::table::TOTP_SECRETS_OF;
use crate::transaction::{Failed, Snapshot as _, Tx};

impl Tx {
    fn update_totp(
        &self,
        user: UserId,
        factor: FactorId,
        condition: impl FnOnce(&TotpSecret) -> bool,
        set: impl FnOnce(&mut TotpSecret),
    ) -> Result<u64, Failed> {
        self.update(factor.as_bytes(), |secret: &TotpSecret| secret.user == user && condition(secret), set)
    }

    /// Deletes the secrets of the user that are as `condition` wants them.
    fn delete_totp_where(&self, user: UserId, condition: impl Fn(&TotpSecret) -> bool) -> Result<u64, Failed> {
        let secrets = self.all_by::<TotpSecret>(TOTP_SECRETS_OF, user.as_bytes())?;
        let ids = secrets.iter().filter(|secret| condition(secret)).map(|secret| secret.id.as_bytes().to_vec());
        self.delete_all::<TotpSecret>(&ids.collect::<Vec<_>>())
    }
}

#[async_trait]
impl FactorStatements for Tx {
    async fn set_factors(&mut self, user: UserId, from: &Factors, to: &Factors) -> Result<u64, Failed> {
        self.update_user(user, |row| row.user.factors == *from, |row| row.user.factors = to.clone())
    }

    async fn delete_enrolments(&mut self, user: UserId) -> Result<u64, Failed> {
        self.delete_totp_where(user, |secret| secret.pending_until.is_some())
    }

    async fn insert_totp(&mut self, secret: &TotpSecret) -> Result<u64, Failed> {
        if self.has_user(secret.user, None).await? { self.insert(secret.id.as_bytes(), secret) } else { Ok(0) }
    }

    async fn confirm_totp(&mut self, user: UserId, factor: FactorId, step: u64) -> Result<u64, Failed> {
        let confirmed = |secret: &mut TotpSecret| (secret.last_step, secret.pending_until) = (Some(step), None);
        self.update_totp(user, factor, |secret| secret.pending_until.is_some(), confirmed)
    }

    async fn spend_totp_step(&mut self, user: UserId, factor: FactorId, step: u64) -> Result<u64, Failed> {
        let is_unspent = |secret: &TotpSecret| secret.last_step.is_some_and(|last| last < step);
        self.update_totp(user, factor, is_unspent, |secret| secret.last_step = Some(step))
    }

    async fn reseal_totp(&mut self, user: UserId, factor: FactorId, from: &Sealed, to: &Sealed) -> Result<u64, Failed> {
        self.update_totp(user, factor, |secret| secret.secret == *from, |secret| secret.secret = to.clone())
    }

    async fn delete_totp(&mut self, user: UserId, keep: Option<FactorId>) -> Result<u64, Failed> {
        self.delete_totp_where(user, |secret| Some(secret.id) != keep)
    }

    async fn insert_recovery_codes(&mut self, user: UserId, codes: &[Mac]) -> Result<u64, Failed> {
        self.insert(user.as_bytes(), &RecoveryCodes { codes: codes.to_vec() })
    }

    async fn delete_recovery_codes(&mut self, user: UserId) -> Result<u64, Failed> {
        self.delete::<RecoveryCodes>(user.as_bytes(), |_| true)
    }

    async fn delete_recovery_code(&mut self, user: UserId, code: &Mac) -> Result<u64, Failed> {
        let is_that = |other: &Mac| other.to_bytes() == code.to_bytes();
        let is_there = |row: &RecoveryCodes| row.codes.iter().any(is_that);
        self.update(user.as_bytes(), is_there, |row| row.codes.retain(|other| !is_that(other)))
    }
}
