//! Registrations that wait for their address to be proved.

use super::{Attributes, Digest, Email, Mac, PasswordHash, Timestamp, TokenId};

/// What somebody registered with, before there is a user.
///
/// Confirmed by the mail that went with it, it becomes a user with this very password: a stranger's registration of the
/// same address is another record, with another mail. Until then nothing tells it from an address that nobody registered.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Names the record.
    pub id: TokenId,
    /// The address to prove.
    pub email: Email,
    /// Which of the few places for records of one address it takes: of racing registrations one gets a place.
    pub slot: u32,
    /// The password, hashed.
    pub password: PasswordHash,
    /// What to call the user.
    pub name: Option<String>,
    /// The language they chose.
    pub locale: Option<String>,
    /// The application's own fields.
    pub attributes: Attributes,
    /// Of the link's secret.
    pub link: Digest,
    /// The link is dead from here on.
    pub link_until: Timestamp,
    /// Of the code.
    pub code: Mac,
    /// The code is dead from here on.
    pub code_until: Timestamp,
    /// Attempts at the code that were claimed so far.
    pub attempts: u32,
    /// Whoever registered: a keyed digest of their address.
    pub requested_from: Digest,
    /// When it was made.
    pub created_at: Timestamp,
}
