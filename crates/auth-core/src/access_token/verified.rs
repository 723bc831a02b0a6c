//! Which tokens were found good.

use std::fmt;

use quick_cache::sync::Cache;

use super::claims::Genuine;
use crate::domain::{Digest, Timestamp};

/// Tokens that some keys were found to have signed, and what they say, so that a token's signature is verified once.
///
/// - Holds what is true of a token at any time: signature, kind, issuer, audience and claims. What changes is not here:
///   the caller compares the times, and asks the store whether the session lives.
/// - Knows a token by its SHA-256 digest, which is no credential. Two texts of one digest would be a broken SHA-256.
/// - Holds genuine tokens only, and none that has expired: nobody fills it with tokens that he made up.
/// - Bounded: the tokens used least make room.
pub(super) struct Verified(Cache<Digest, Genuine>);

/// Tokens held at most: some 160 bytes each, with what it takes to find them.
const CAPACITY: usize = 16 * 1024;

impl Verified {
    /// What the token says, if it was found good and expires after `now`.
    pub(super) fn find(&self, token: &Digest, now: Timestamp) -> Option<Genuine> {
        self.0.get(token).filter(|genuine| now < genuine.claims.expires_at)
    }

    /// Remembers a token that was found good, unless it has expired.
    pub(super) fn note(&self, token: Digest, genuine: Genuine, now: Timestamp) {
        if now < genuine.claims.expires_at {
            self.0.insert(token, genuine);
        }
    }
}

impl Default for Verified {
    /// Empty, and without memory until something comes.
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("tokens", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::{
        NOW, TTL, both, claims, copy, eddsa, forge, grant, header_of, key, payload, tokens, with_header, with_payload,
    };
    use super::super::{AccessTokens, InvalidAccessToken, KeySet};
    use super::*;
    use crate::adapter::SystemEntropy;

    fn genuine() -> Genuine {
        Genuine { claims: claims(), not_before: NOW }
    }

    fn held(tokens: &AccessTokens) -> usize {
        tokens.keys.current().verified().0.len()
    }

    fn digest(text: &str) -> Digest {
        Digest::of(&[text.as_bytes()])
    }

    #[test]
    fn a_token_is_verified_once() {
        for tokens in both() {
            let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
            assert_eq!(held(&tokens), 0, "issuing is not verifying");
            for _ in 0..2 {
                assert_eq!(tokens.verify(token.expose(), NOW), Ok(claims()));
                assert_eq!(held(&tokens), 1);
            }
            // What is known isn't looked at again.
            tokens.keys.current().verified().note(digest("anything"), genuine(), NOW);
            assert_eq!(tokens.verify("anything", NOW), Ok(claims()));
        }
    }

    // JW1, JW3, JW4, JW6: only what is good, and good now, is held; nothing that is refused once is taken later.
    #[test]
    fn jw1_refused_tokens_are_not_held() {
        for tokens in both() {
            let good = tokens.issue(&grant(), &SystemEntropy).unwrap();
            let good = good.expose();
            let (message, _) = good.rsplit_once('.').unwrap();
            for _ in 0..2 {
                assert!(tokens.verify("a.b.c", NOW).is_err());
                assert!(tokens.verify(&format!("{message}.AAAA"), NOW).is_err());
                assert!(with_header(&tokens, &header_of(&tokens).replace("at+jwt", "JWT")).is_err());
                let foreign = payload(|claims| drop(claims.insert("iss".to_owned(), "https://evil.example".into())));
                assert!(with_payload(&tokens, &foreign).is_err());
                assert!(tokens.verify(&"x".repeat(10_000), NOW).is_err());
                assert_eq!(tokens.verify(good, NOW + TTL), Err(InvalidAccessToken::Expired));
                assert_eq!(tokens.read(good, NOW + TTL), Ok(claims()), "for signing out");
                let early = tokens.verify(good, NOW.before(Duration::from_secs(61)));
                assert_eq!(early, Err(InvalidAccessToken::NotYet));
            }
            assert_eq!(held(&tokens), 0);
        }
    }

    // JW1: knowing a token doesn't help with another.
    #[test]
    fn jw1_every_character_counts_beside_a_known_token() {
        for tokens in both() {
            let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
            tokens.verify(token.expose(), NOW).unwrap();
            for i in 0..token.expose().len() {
                let mut changed = token.expose().as_bytes().to_vec();
                changed[i] = if changed[i] == b'A' { b'B' } else { b'A' };
                assert!(tokens.verify(std::str::from_utf8(&changed).unwrap(), NOW).is_err(), "character {i}");
            }
        }
    }

    // JW3, DF6: a known token begins and ends like an unknown one, also for a clock that is set back.
    #[test]
    fn jw3_times_are_compared_each_time() {
        let last = Timestamp::from_micros((NOW + TTL).as_micros() - 1);
        let before = |seconds| NOW.before(Duration::from_secs(seconds));
        for tokens in both() {
            let plain = tokens.issue(&grant(), &SystemEntropy).unwrap().expose().to_owned();
            let nbf = payload(|claims| drop(claims.insert("nbf".to_owned(), (NOW.as_seconds() + 30).into())));
            let late = forge(&tokens, &header_of(&tokens), &nbf);
            for token in [&plain, &late] {
                assert_eq!(tokens.verify(token, NOW), Ok(claims()));
            }
            assert_eq!(held(&tokens), 2);
            for (token, now, expected) in [
                (&plain, last, Ok(claims())),
                (&plain, NOW + TTL, Err(InvalidAccessToken::Expired)),
                (&plain, NOW + TTL + Duration::from_secs(1), Err(InvalidAccessToken::Expired)),
                (&plain, before(60), Ok(claims())),
                (&plain, before(61), Err(InvalidAccessToken::NotYet)),
                (&late, before(30), Ok(claims())),
                (&late, before(31), Err(InvalidAccessToken::NotYet)),
                // The clock was set back: that it was refused once says nothing about now.
                (&plain, last, Ok(claims())),
            ] {
                assert_eq!(tokens.verify(token, now), expected, "at {now:?}");
            }
        }
    }

    // JW5: a known token of a key that is gone is refused; tokens of keys that stay remain known.
    #[test]
    fn jw5_a_removed_key_takes_its_tokens_along() {
        let (old, new) = (key(), key());
        let tokens = tokens(KeySet::ed25519(vec![copy(&old)]));
        let before = tokens.issue(&grant(), &SystemEntropy).unwrap();
        assert_eq!(tokens.verify(before.expose(), NOW), Ok(claims()));

        tokens.replace_keys(vec![copy(&new), copy(&old)]);
        assert_eq!(held(&tokens), 1, "nothing has gone");
        assert_eq!(tokens.verify(before.expose(), NOW), Ok(claims()));
        let after = tokens.issue(&grant(), &SystemEntropy).unwrap();
        assert_eq!(tokens.verify(after.expose(), NOW), Ok(claims()));

        tokens.replace_keys(vec![copy(&new)]);
        assert_eq!(tokens.verify(before.expose(), NOW), Err(InvalidAccessToken::UnknownKey));
        assert_eq!(tokens.verify(after.expose(), NOW), Ok(claims()));
        tokens.replace_keys(Vec::new());
        assert_eq!(tokens.verify(after.expose(), NOW), Err(InvalidAccessToken::UnknownKey));
    }

    // JW5: who was verifying with a key while it was removed notes the token down where nobody looks any more.
    #[test]
    fn jw5_a_late_note_revives_nothing() {
        let tokens = eddsa();
        let token = tokens.issue(&grant(), &SystemEntropy).unwrap();
        let late = tokens.keys.current();
        tokens.replace_keys(vec![key()]);
        late.verified().note(digest(token.expose()), genuine(), NOW);
        assert_eq!(tokens.verify(token.expose(), NOW), Err(InvalidAccessToken::UnknownKey));
    }

    // RL2: no number of good tokens takes more than the documented memory.
    #[test]
    fn rl2_memory_is_bounded() {
        let verified = Verified::default();
        assert_eq!(verified.0.memory_used().total(), 0);
        for i in 0..100_000_u32 {
            verified.note(Digest::of(&[&i.to_be_bytes()]), genuine(), NOW);
        }
        let held = verified.0.len();
        assert!((CAPACITY / 2..=CAPACITY).contains(&held), "{held} tokens");
        let bytes = verified.0.memory_used().total();
        assert!(bytes <= 3_000_000, "{bytes} bytes");
    }
}
