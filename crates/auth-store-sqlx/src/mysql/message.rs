//! What the server's messages tell, and what of it goes on.

use std::borrow::Cow;

use sqlx::error::DatabaseError;

/// The name of the key that has a value already. It stands behind the value, which is anybody's and may say the same; MySQL
/// puts the table before it.
pub(super) fn key(message: &str) -> Option<&str> {
    let (_, key) = message.rsplit_once("for key '")?;
    Some(key.trim_end_matches('\'')).map(|key| key.rsplit_once('.').map_or(key, |(_, key)| key))
}

/// The message without the values that it quotes, which are addresses and digests: this goes into logs.
pub(super) fn without_values(error: &dyn DatabaseError) -> Cow<'_, str> {
    let message = error.message();
    match super::number(error) {
        1062 | 1586 => format!("duplicate entry for key {:?}", key(message).unwrap_or_default()).into(),
        // Incorrect, truncated or out of range.
        1264 | 1265 | 1292 | 1366 | 1367 | 1411 | 3854 => "a value that the column doesn't take".into(),
        _ => message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    /// EN3: an address can't choose the name of the key that it violates.
    #[test]
    fn the_key_is_named_last() {
        let mysql = "Duplicate entry 'ann@example.com' for key 'auth_users.auth_users_email_key'";
        let mariadb = "Duplicate entry 'ann@example.com' for key 'auth_users_email_key'";
        let posing = "Duplicate entry 'x' for key 'auth_users_email_key'' for key 'PRIMARY'";
        assert_eq!(key(mysql), Some("auth_users_email_key"));
        assert_eq!(key(mariadb), Some("auth_users_email_key"));
        assert_eq!(key(posing), Some("PRIMARY"));
        assert_eq!(key("Unknown column 'x'"), None);
    }
}
