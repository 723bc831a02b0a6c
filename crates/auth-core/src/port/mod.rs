//! What the core asks of the world: traits only. Adapters implement them.
//!
//! With feature `mock` there is a [mockall](https://docs.rs/mockall) mock of each, and `MockStore` for all of the store's
//! at once. An application tests its own code with them, without a database:
//!
#![cfg_attr(feature = "mock", doc = "```")]
#![cfg_attr(not(feature = "mock"), doc = "```ignore")]
//! use std::sync::Arc;
//!
//! use auth_core::domain::Email;
//! use auth_core::port::{MockUsers, StoreError, Users};
//!
//! /// The application's own code: an invitation goes to those who have no account yet.
//! struct Invitations {
//!     users: Arc<dyn Users>,
//! }
//!
//! impl Invitations {
//!     async fn may_invite(&self, email: &Email) -> Result<bool, StoreError> {
//!         Ok(self.users.find_user_by_email(email).await?.is_none())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let mut users = MockUsers::new();
//! users
//!     .expect_find_user_by_email()
//!     .withf(|email| email.canonical() == "new@example.com")
//!     .once()
//!     .returning(|_| Ok(None));
//!
//! let invitations = Invitations { users: Arc::new(users) };
//! let email = Email::parse("New@Example.com").unwrap();
//! assert!(invitations.may_invite(&email).await.unwrap());
//! # }
//! ```

mod cache;
mod commit;
mod host;
#[cfg(feature = "mock")]
mod mock;
mod service;
mod store;

pub use cache::{Cached, Outdated, SessionCache, Ticket};
pub use commit::{Change, Commit, CommitError, Rejected};
pub use host::{Observer, Policy, Veto};
#[cfg(feature = "mock")]
pub use mock::MockStore;
pub use service::{
    BreachedPasswords, Clock, Entropy, HashError, Limit, MailError, Mailer, PasswordHasher, Taken, Throttle,
    ThrottleKey, Verdict,
};
pub use store::{
    AuditLog, AuditQuery, Claim, Claimed, Housekeeping, Idempotency, Keys, MailQuery, Outbox, Pendings, SecondFactors,
    Sessions, Store, StoreError, Tokens, UserQuery, Users,
};
#[cfg(feature = "mock")]
pub use {
    cache::MockSessionCache,
    commit::MockCommit,
    host::{MockObserver, MockPolicy},
    service::{MockBreachedPasswords, MockClock, MockEntropy, MockMailer, MockPasswordHasher, MockThrottle},
    store::{
        MockAuditLog, MockHousekeeping, MockIdempotency, MockKeys, MockOutbox, MockPendings, MockSecondFactors,
        MockSessions, MockTokens, MockUsers,
    },
};
