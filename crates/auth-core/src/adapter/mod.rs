//! What needs no outside service: password hashing, throttling, remembering sessions, clock and randomness of this process.

mod argon2;
mod danger_no_throttle;
mod local_sessions;
mod observers;
mod open_policy;
mod system;
mod throttle;

pub use argon2::{Argon2Pool, Argon2Settings, InvalidArgon2Settings, PasswordKeys, PoolSettings};
pub use danger_no_throttle::DangerNoThrottle;
pub use local_sessions::LocalSessions;
pub use observers::Observers;
pub use open_policy::OpenPolicy;
pub use system::{NoBreachCheck, SystemClock, SystemEntropy};
pub use throttle::LocalThrottle;
