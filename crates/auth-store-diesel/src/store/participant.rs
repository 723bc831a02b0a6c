//! The application's own tables, in the same transaction.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use auth_core::port::Change;

use super::Store;
use super::dialect::Connection;

/// The application's own part failed, so nothing of the transaction happens. diesel's errors become one by `?`.
pub type Refusal = auth_store::commit::Refusal<diesel::result::Error>;

/// Writes the application's own rows in the transaction that changes Portcullis's: a profile with its user, an entry for a
/// queue of the application's with what it is about. Both happen, or neither.
///
/// ```
/// use async_trait::async_trait;
/// use auth_core::port::Change;
/// use auth_store_diesel::sqlite::{Connection, Participant, Refusal};
/// use diesel::ExpressionMethods;
/// use diesel_async::RunQueryDsl;
///
/// diesel::table! {
///     profiles (user_id) {
///         user_id -> Binary,
///         nickname -> Text,
///     }
/// }
///
/// #[derive(Debug)]
/// struct Profiles;
///
/// #[async_trait]
/// impl Participant for Profiles {
///     async fn take_part(&self, changes: &[Change], connection: &mut Connection) -> Result<(), Refusal> {
///         for change in changes {
///             if let Change::CreateUser { user, .. } = change {
///                 let name = user.profile.name.as_deref().unwrap_or("somebody");
///                 diesel::insert_into(profiles::table)
///                     .values((profiles::user_id.eq(user.id.as_bytes().as_slice()), profiles::nickname.eq(name)))
///                     .execute(connection)
///                     .await?;
///             }
///         }
///         Ok(())
///     }
/// }
///
/// # fn with(store: auth_store_diesel::SqliteStore) -> auth_store_diesel::SqliteStore {
/// store.with_participant(Profiles)
/// # }
/// ```
///
/// - Called in every commit, after its changes were applied: they can be seen and referred to. What doesn't concern it, it
///   passes over.
/// - Called anew when a transaction meets contention and is tried again: it does nothing but write on that connection.
/// - A transaction that it opens on the connection is a savepoint in ours.
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
