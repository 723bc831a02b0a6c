//! What MySQL and MariaDB say.

/// The name of the key that has a value already. It stands behind the value, which is anybody's and may say the same; MySQL
/// puts the table before it.
pub fn duplicate_key(message: &str) -> Option<&str> {
    let (_, key) = message.rsplit_once("for key '")?;
    Some(key.trim_end_matches('\'')).map(|key| key.rsplit_once('.').map_or(key, |(_, key)| key))
}

#[cfg(test)]
mod tests {
    use super::duplicate_key;

    /// EN3: an address can't choose the name of the key that it violates.
    #[test]
    fn the_key_is_named_last() {
        let mysql = "Duplicate entry 'ann@example.com' for key 'auth_users.auth_users_email_key'";
        let mariadb = "Duplicate entry 'ann@example.com' for key 'auth_users_email_key'";
        let posing = "Duplicate entry 'x' for key 'auth_users_email_key'' for key 'PRIMARY'";
        assert_eq!(duplicate_key(mysql), Some("auth_users_email_key"));
        assert_eq!(duplicate_key(mariadb), Some("auth_users_email_key"));
        assert_eq!(duplicate_key(posing), Some("PRIMARY"));
        assert_eq!(duplicate_key("Unknown column 'x'"), None);
    }
}
