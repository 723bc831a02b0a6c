//! Changing one-time tokens.

use async_trait::async_trait;
use auth_core::domain::{Mac, Purpose, Timestamp, Token, TokenId, UserId};
use auth_core::port::Rejected;

use super::{Failure, Statements, Transaction};

/// Statements about one-time tokens.
#[async_trait]
pub trait TokenStatements: Statements {
    /// Inserts a token, where its user exists, has the address that it is bound to, if it is to any, and fewer than `at_most`
    /// tokens of that purpose whose link or code lives on after its creation. An id or a link's digest that exists is an error.
    async fn insert_token(&mut self, token: &Token, at_most: u32) -> Result<u64, Self::Error>;

    /// Deletes all but the newest `keep` tokens of that purpose.
    async fn trim_tokens(&mut self, user: UserId, purpose: Purpose, keep: u32) -> Result<u64, Self::Error>;

    /// Counts one attempt, where there were fewer than `limit`.
    async fn claim_attempt(&mut self, user: UserId, token: TokenId, limit: u32) -> Result<u64, Self::Error>;

    /// Takes one attempt back, where there is one.
    async fn return_attempt(&mut self, user: UserId, token: TokenId) -> Result<u64, Self::Error>;

    /// Gives a token another code.
    async fn renew_code(
        &mut self,
        user: UserId,
        token: TokenId,
        code: &Mac,
        until: Timestamp,
    ) -> Result<u64, Self::Error>;

    /// Deletes a token.
    async fn delete_token(&mut self, user: UserId, token: TokenId) -> Result<u64, Self::Error>;

    /// Deletes all tokens of that purpose.
    async fn delete_tokens(&mut self, user: UserId, purpose: Purpose) -> Result<u64, Self::Error>;
}

pub(super) async fn issue<T: Transaction>(tx: &mut T, token: &Token, at_most: u32) -> Result<(), Failure<T::Error>> {
    if tx.insert_token(token, at_most).await? > 0 {
        return Ok(());
    }
    // Which of the preconditions it was: asked only where one was false.
    let is_there = tx.has_user(token.user, token.account.as_ref()).await?;
    Err(Failure::Rejected(if is_there { Rejected::TooManyTokens } else { Rejected::EmailChanged }))
}
