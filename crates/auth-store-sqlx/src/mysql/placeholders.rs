//! Placeholders: the shared statements number theirs, MySQL's are all `?`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use sqlx::AssertSqlSafe;

use super::store::Statement;

/// What stands for the `n`th value.
pub(super) fn placeholder(_: usize) -> String {
    "?".to_owned()
}

/// A statement of the shared source.
pub(super) fn query(text: &'static str) -> Statement {
    // Safe: all of it stands in this source.
    sqlx::query(AssertSqlSafe(spelt(text)))
}

/// `text` with `?` for `$1`, `$2` and so on, which stand in order. Each is put together once.
fn spelt(text: &'static str) -> Arc<str> {
    /// By place and length: comparing whole statements would take longer than replacing in them.
    type Spelt = HashMap<(usize, usize), Arc<str>>;
    static SPELT: LazyLock<RwLock<Spelt>> = LazyLock::new(RwLock::default);
    let place = (text.as_ptr().addr(), text.len());
    if let Some(known) = SPELT.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
        return known.clone();
    }
    let spelt: Arc<str> = replaced(text).into();
    SPELT.write().unwrap_or_else(PoisonError::into_inner).entry(place).or_insert(spelt).clone()
}

fn replaced(text: &str) -> String {
    let mut parts = text.split('$');
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        replaced.push('?');
        replaced.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go() {
        assert_eq!(replaced("select 1"), "select 1");
        assert_eq!(replaced("a = $1 and b in ($2, $3) limit $10"), "a = ? and b in (?, ?) limit ?");
        assert_eq!(replaced("$1"), "?");
    }

    #[test]
    fn each_statement_is_spelt_once() {
        const ONE: &str = "select $1";
        let (first, again) = (spelt(ONE), spelt(ONE));
        assert!(Arc::ptr_eq(&first, &again));
        // The same place, and another statement.
        assert_eq!(&*spelt(&ONE[..6]), "select");
    }
}
