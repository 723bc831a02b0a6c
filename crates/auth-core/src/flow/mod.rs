//! What users do, one feature per file, its error enum beside it. A flow decides, then commits once.

pub mod account;
mod actor;
pub mod audit;
pub mod authenticate;
pub mod change_email;
pub mod change_password;
pub(crate) mod copies;
mod factor_check;
pub mod factors;
pub mod housekeeping;
pub mod idempotency;
pub mod import;
pub mod mail;
pub mod outbox;
pub mod profile;
pub mod proof;
pub mod reauthenticate;
pub mod refresh;
pub mod register;
pub mod report_session;
pub mod reset_password;
pub mod roles;
pub mod second_step;
pub mod session;
pub mod sessions;
pub mod sign_in;
pub mod sign_out;
pub mod signing_keys;
pub mod throttle;
pub mod users;
pub mod verify_email;

pub use actor::{Actor, AdminError};

use crate::auth::Auth;
use crate::domain::{Email, Password};
use crate::rules::password::{PasswordRules, WeakPassword};

/// Whether a password may be set: the rules of strength first, then the list of breached ones.
async fn judge_password(
    auth: &Auth,
    password: &Password,
    email: &Email,
    name: Option<&str>,
) -> Result<(), WeakPassword> {
    PasswordRules.judge(password, email, name)?;
    if auth.breached.is_breached(password).await { Err(WeakPassword::Breached) } else { Ok(()) }
}
