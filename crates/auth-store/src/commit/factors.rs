//! Changing second factors.

use async_trait::async_trait;
use auth_core::domain::{FactorId, Factors, Mac, Sealed, TotpSecret, UserId};
use auth_core::port::Rejected;

use super::{Failure, Statements, Transaction, guard};

/// Statements about second factors.
#[async_trait]
pub trait FactorStatements: Statements {
    /// Replaces the factors that are on, where they are still `from`.
    async fn set_factors(&mut self, user: UserId, from: &Factors, to: &Factors) -> Result<u64, Self::Error>;

    /// Deletes enrolments of the user that aren't confirmed.
    async fn delete_enrolments(&mut self, user: UserId) -> Result<u64, Self::Error>;

    /// Inserts a secret, where its user exists.
    async fn insert_totp(&mut self, secret: &TotpSecret) -> Result<u64, Self::Error>;

    /// Switches an enrolled secret on, with `step` spent, where it isn't on.
    async fn confirm_totp(&mut self, user: UserId, factor: FactorId, step: u64) -> Result<u64, Self::Error>;

    /// Notes that `step` is spent, where the secret is on and the last one is before.
    async fn spend_totp_step(&mut self, user: UserId, factor: FactorId, step: u64) -> Result<u64, Self::Error>;

    /// Replaces a secret's sealed form, where it is still `from`.
    async fn reseal_totp(
        &mut self,
        user: UserId,
        factor: FactorId,
        from: &Sealed,
        to: &Sealed,
    ) -> Result<u64, Self::Error>;

    /// Deletes all secrets of the user but that one.
    async fn delete_totp(&mut self, user: UserId, keep: Option<FactorId>) -> Result<u64, Self::Error>;

    /// Inserts recovery codes.
    async fn insert_recovery_codes(&mut self, user: UserId, codes: &[Mac]) -> Result<u64, Self::Error>;

    /// Deletes all recovery codes of the user.
    async fn delete_recovery_codes(&mut self, user: UserId) -> Result<u64, Self::Error>;

    /// Deletes a recovery code.
    async fn delete_recovery_code(&mut self, user: UserId, code: &Mac) -> Result<u64, Self::Error>;
}

pub(super) async fn enrol<T: Transaction>(tx: &mut T, secret: &TotpSecret) -> Result<(), Failure<T::Error>> {
    tx.delete_enrolments(secret.user).await?;
    guard(tx.insert_totp(secret).await, Rejected::User)
}

pub(super) async fn confirm<T: Transaction>(
    tx: &mut T,
    user: UserId,
    factor: FactorId,
    step: u64,
) -> Result<(), Failure<T::Error>> {
    guard(tx.confirm_totp(user, factor, step).await, Rejected::Factors)?;
    // The one that was on gives way.
    tx.delete_totp(user, Some(factor)).await?;
    Ok(())
}

pub(super) async fn set_recovery_codes<T: Transaction>(
    tx: &mut T,
    user: UserId,
    codes: &[Mac],
) -> Result<(), Failure<T::Error>> {
    // The user is locked, if there: so it stays.
    if !tx.has_user(user, None).await? {
        return Err(Failure::Rejected(Rejected::User));
    }
    tx.delete_recovery_codes(user).await?;
    if !codes.is_empty() {
        tx.insert_recovery_codes(user, codes).await?;
    }
    Ok(())
}
