//! What a mail service says, fit for a log.

use auth_core::domain::escape;

use crate::plain::has_six_digits;

/// Why `what` went wrong, by what was `said`. Services quote: words that may be an address, a link or a code are left
/// out.
pub(crate) fn reason(what: &str, said: &str) -> String {
    let is_private = |word: &str| word.contains(['@', '/', '=']) || has_six_digits(word);
    let words: Vec<_> = said.split_whitespace().map(|word| if is_private(word) { "…" } else { word }).collect();
    escape(&format!("{what}: {}", words.join(" ")), 300)
}
