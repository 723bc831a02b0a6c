//! What the server's messages tell, and what of it goes on.

use std::borrow::Cow;

use auth_store::mysql::duplicate_key;
use sqlx::error::DatabaseError;

/// The message without the values that it quotes, which are addresses and digests: this goes into logs.
pub(super) fn without_values(error: &dyn DatabaseError) -> Cow<'_, str> {
    let message = error.message();
    match super::number(error) {
        1062 | 1586 => format!("duplicate entry for key {:?}", duplicate_key(message).unwrap_or_default()).into(),
        // Incorrect, truncated or out of range.
        1264 | 1265 | 1292 | 1366 | 1367 | 1411 | 3854 => "a value that the column doesn't take".into(),
        _ => message.into(),
    }
}
