//! Mail that was leased.

use auth_core::domain::LeasedMail;
use auth_core::port::StoreError;

/// Of leased mails those that can be read, oldest first: an update returns its rows in no particular order.
///
/// One that can't is left to its lease: a mail that only a later version can read must not hold up the others.
pub fn readable(mails: impl IntoIterator<Item = Result<LeasedMail, StoreError>>) -> Vec<LeasedMail> {
    let mut readable = Vec::new();
    for mail in mails {
        match mail {
            Ok(mail) => readable.push(mail),
            Err(error) => tracing::error!(?error, "a mail in the outbox can't be read"),
        }
    }
    readable.sort_unstable_by_key(|leased| (leased.mail.created_at, leased.mail.id));
    readable
}
