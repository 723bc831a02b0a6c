//! What the core asks of the world: traits only. Adapters implement them; with feature `mock`, mockall mocks of each.

mod commit;
mod service;
mod store;

pub use commit::{Change, Commit, CommitError, Rejected};
pub use service::{
    BreachedPasswords, Clock, Entropy, HashError, Limit, MailError, Mailer, PasswordHasher, Taken, Throttle,
    ThrottleKey, Verdict,
};
pub use store::{
    AuditLog, Claim, Claimed, Housekeeping, Idempotency, Keys, Outbox, Sessions, Store, StoreError, Tokens, Users,
};
#[cfg(feature = "mock")]
pub use {
    commit::MockCommit,
    service::{MockBreachedPasswords, MockClock, MockEntropy, MockMailer, MockPasswordHasher, MockThrottle},
    store::{
        MockAuditLog, MockHousekeeping, MockIdempotency, MockKeys, MockOutbox, MockSessions, MockTokens, MockUsers,
    },
};
