//! Random values, replaced by what they look like.

use std::fmt::Write;

/// `text`, with ids, secrets, codes and the addresses that people connect from replaced by their shape: what two systems say
/// in the same words looks the same.
///
/// A word of sixteen characters and more is taken for random wherever it has a digit or an upper-case letter; one of six
/// digits for a code.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
        if let Some(after) = last_use(rest) {
            shown.push_str("‹last use›");
            rest = after;
        } else if let Some(after) = picture(rest) {
            shown.push_str("‹picture›");
            rest = after;
        } else if let Some(after) = client(rest) {
            shown.push_str("‹client›");
            rest = after;
        } else if is_word(first) {
            let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            mask(word, &mut shown);
            rest = after;
            // Of an address, only the first number is no part of a longer one.
            if let Some(dotted) = rest.strip_prefix('.') {
                shown.push('.');
                rest = dotted;
                let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                mask(word, &mut shown);
                rest = after;
            }
        } else {
            shown.push(first);
            rest = rest.strip_prefix(first).unwrap_or_default();
        }
    }
    shown
}

fn mask(word: &str, shown: &mut String) {
    let is_random = |character: char| character.is_ascii_digit() || character.is_ascii_uppercase();
    let is_code = word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    // The suite's own codes, which are no one's.
    if is_code && word != "000000" {
        shown.push_str("‹code›");
    } else if is_id(word) {
        shown.push_str("‹id›");
    } else if word.len() >= 16 && word.contains(is_random) {
        _ = write!(shown, "‹{}›", word.len());
    } else {
        shown.push_str(word);
    }
}

fn is_id(word: &str) -> bool {
    let lengths: Vec<_> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// What follows the last use of a session, to the end of what is said of the session: that is noted while nobody waits for it.
fn last_use(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\"lastSeenAt\":")?;
    Some(rest.trim_start_matches(|character| character != '}'))
}

/// What follows the picture of an app's secret.
fn picture(text: &str) -> Option<&str> {
    Some(text.strip_prefix("\"qrSvg\":")?.split_once("</svg>")?.1)
}

/// What follows an address such as people of the suite have: `10.…`.
fn client(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix("10")?;
    for _ in 0..3 {
        rest = rest.strip_prefix('.')?;
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest = rest.split_at_checked(end).filter(|(number, _)| !number.is_empty())?.1;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_values_are_masked_and_nothing_else() {
        for (text, shown) in [
            ("GET /v1/auth/sessions/0199a1b2-0000-7000-8000-0123456789ab", "GET /v1/auth/sessions/‹id›"),
            ("from 10.1.22.255\nx", "from ‹client›\nx"),
            ("from 192.0.2.1, 10.1", "from 192.0.2.1, 10.1"),
            ("Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTk5YTFiMiJ9.c2lnbmF0dXJlIQ-_", "Bearer ‹20›.‹24›.‹16›"),
            ("{\"code\":\"123456\",\"expiresIn\":604800}", "{\"code\":\"‹code›\",\"expiresIn\":‹code›}"),
            ("u-0199a1b2000070008000aabbccddeeff@example.com", "‹34›@example.com"),
            (
                "application/problem+json; reauthentication-required",
                "application/problem+json; reauthentication-required",
            ),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("{\"qrSvg\":\"<svg><path d=\\\"M16\\\"/></svg>\",\"a\":1}", "{‹picture›\",\"a\":1}"),
            ("{\"id\":1,\"lastSeenAt\":\"2026-01-01T00:00:00Z\",\"a\":1},2", "{\"id\":1,‹last use›},2"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
