//! The application's own tables, in the same transaction.

use std::fmt::Debug;
use std::sync::Arc;

use super::{Connection, Store};
use async_trait::async_trait;
use auth_core::port::Change;

/// The application's own part failed, so nothing of the transaction happens. sqlx's errors become one by `?`.
pub type Refusal = auth_store::commit::Refusal<sqlx::Error>;

/// Writes the application's own rows in the transaction that changes Portcullis's: a profile with its user, an entry for a
/// queue of the application's with what it is about. Both happen, or neither.
///
/// ```
/// use async_trait::async_trait;
/// use auth_core::port::Change;
/// use auth_store_sqlx::sqlite::{Connection, Participant, Refusal};
///
/// #[derive(Debug)]
/// struct Profiles;
///
/// #[async_trait]
/// impl Participant for Profiles {
///     async fn take_part(&self, changes: &[Change], connection: &mut Connection) -> Result<(), Refusal> {
///         for change in changes {
///             if let Change::CreateUser { user, .. } = change {
///                 let insert = "insert into profiles (user_id, nickname) values ($1, $2)";
///                 sqlx::query(insert)
///                     .bind(user.id.as_uuid())
///                     .bind(user.profile.name.as_deref().unwrap_or("somebody"))
///                     .execute(&mut *connection)
///                     .await?;
///             }
///         }
///         Ok(())
///     }
/// }
///
/// # fn with(store: auth_store_sqlx::SqliteStore) -> auth_store_sqlx::SqliteStore {
/// store.with_participant(Profiles)
/// # }
/// ```
///
/// - Called in every commit, after its changes were applied: they can be seen and referred to. What doesn't concern it, it
///   passes over.
/// - Called anew when a transaction meets contention and is tried again: it does nothing but write on that connection.
/// - Everybody whom the changes concern waits meanwhile, and the transaction has five seconds in all: no mail, no HTTP.
/// - Where it fails, nothing happens at all, and the request is answered with 500. What is to be refused politely is refused
///   before: by a [`Policy`](auth_core::port::Policy).
#[async_trait]
pub trait Participant: Debug + Send + Sync {
    /// Adds to the transaction on `connection` what `changes` ask for.
    ///
    /// # Errors
    /// [`Refusal`]: nothing of the transaction is to happen.
    async fn take_part(&self, changes: &[Change], connection: &mut Connection) -> Result<(), Refusal>;
}

impl Store {
    /// The same store, in whose commits `participant` takes part, after those that do already.
    #[must_use]
    pub fn with_participant(mut self, participant: impl Participant + 'static) -> Self {
        let participants = Arc::make_mut(&mut self.participants);
        participants.push(Arc::new(participant));
        self
    }
}
