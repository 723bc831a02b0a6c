//! Whether a password is good enough to be set.

use unicode_normalization::UnicodeNormalization;
use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::{Match, Score, zxcvbn};

use crate::domain::{Email, Password};

/// What a password has to be like to be set, on registration, change and reset alike.
///
/// - 8 to 256 characters after normalising (ASVS 6.2.1, 6.2.9), of any kind: no rules of composition (ASVS 6.2.5).
/// - Not common, not guessable: zxcvbn gives it 3 of 4 points or more, that is 10⁸ guesses (ASVS 6.2.4).
/// - Not made of the user's own address or name (ASVS 6.2.11).
#[derive(Debug, Clone, Copy, Default)]
pub struct PasswordRules;

/// Why a password may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer characters than [`PasswordRules::MIN`].
    #[error("the password is too short")]
    TooShort,
    /// More characters than [`PasswordRules::MAX`].
    #[error("the password is too long")]
    TooLong,
    /// Common, or found by guessing.
    #[error("the password is too easy to guess")]
    Guessable,
    /// Guessable for whoever knows the user's address or name.
    #[error("the password is made of the user's own address or name")]
    Personal,
    /// Known from a breach.
    #[error("the password is known from a breach")]
    Breached,
}

impl PasswordRules {
    /// Characters at least.
    pub const MIN: usize = 8;
    /// Characters at most.
    pub const MAX: usize = 256;

    /// Judges `password` for the user of `email` and `name`.
    ///
    /// Takes a few milliseconds at most. Breaches are a service's to know:
    /// [`BreachedPasswords`](crate::port::BreachedPasswords), to be asked afterwards.
    ///
    /// # Errors
    /// [`WeakPassword`] says what is wrong.
    pub fn judge(&self, password: &Password, email: &Email, name: Option<&str>) -> Result<(), WeakPassword> {
        match password.expose().chars().count() {
            ..Self::MIN => return Err(WeakPassword::TooShort),
            Self::MIN..=Self::MAX => {}
            _ => return Err(WeakPassword::TooLong),
        }
        let personal = personal_words(email, name);
        let words: Vec<&str> = personal.iter().map(String::as_str).collect();
        let estimate = zxcvbn(&affordable(password.expose()), &words);
        if estimate.score() >= Score::Three {
            Ok(())
        } else if estimate.sequence().iter().any(|part| is_personal(part, &personal)) {
            Err(WeakPassword::Personal)
        } else {
            Err(WeakPassword::Guessable)
        }
    }
}

/// Characters of a password that are estimated.
const ESTIMATED: usize = 40;

/// What of a password can be estimated in milliseconds. It is never stronger than the whole.
///
/// Left to itself, zxcvbn takes 100 characters and tries every reading of every symbol that may stand for a letter: most
/// of a second of CPU for a password that an attacker picks. So it gets the first 40, which are worth 10⁸ guesses by
/// themselves in anything that isn't a mere repetition, and, where there are many such symbols, one spelling for those
/// that stand for the same letter.
fn affordable(password: &str) -> String {
    const AMBIGUOUS: &str = "@4({[<69!1|7$5+";
    let start = || password.chars().take(ESTIMATED);
    if AMBIGUOUS.chars().filter(|&symbol| start().any(|c| c == symbol)).count() <= 4 {
        return start().collect();
    }
    start()
        .map(|c| match c {
            '{' | '[' | '<' => '(',
            '!' | '|' => '1',
            '$' => '5',
            '+' => '7',
            _ => c,
        })
        .collect()
}

fn is_personal(part: &Match, personal: &[String]) -> bool {
    match &part.pattern {
        MatchPattern::Dictionary(found) => personal.contains(&found.matched_word),
        MatchPattern::Repeat(found) => found.base_matches.iter().any(|part| is_personal(part, personal)),
        _ => false,
    }
}

/// The words by which somebody who knows the user would guess: address and name, whole and in pieces.
fn personal_words(email: &Email, name: Option<&str>) -> Vec<String> {
    let (local, domain) = email.canonical().split_once('@').unwrap_or_default();
    let name: String = name.unwrap_or_default().chars().take(100).collect::<String>().to_lowercase().nfkc().collect();
    let pieces = |text: &str| -> Vec<String> {
        let is_separator = |c: char| !c.is_alphanumeric();
        let joined = text.split(is_separator).collect();
        text.split(is_separator).map(str::to_owned).chain([text.to_owned(), joined]).collect()
    };
    let mut words: Vec<String> = [email.canonical(), local, domain, &name].into_iter().flat_map(pieces).collect();
    // No more of a word can be found than is looked at of the password.
    words.iter_mut().for_each(|word| *word = word.chars().take(ESTIMATED).collect());
    // Shorter ones are initials, and part of any word.
    words.retain(|word| word.chars().count() >= 3);
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(password: &str) -> Result<(), WeakPassword> {
        let email = Email::parse("Maximiliane.Okonkwo@fernwood-labs.example").unwrap();
        let password = Password::parse(password.to_owned()).unwrap();
        PasswordRules.judge(&password, &email, Some("Séraphine van der Wijngaard"))
    }

    // PW4: length in characters, not bytes; of any kind.
    #[test]
    fn pw4_length_and_nothing_else() {
        assert_eq!(judged("kT9#wqz"), Err(WeakPassword::TooShort));
        assert_eq!(judged("kT9#wqzB"), Err(WeakPassword::Guessable), "zxcvbn gives 8 random characters 2 points");
        assert_eq!(judged("kT9#wqzBv"), Ok(()));
        assert_eq!(judged("ключ домой"), Ok(()));
        assert_eq!(judged("näöüß"), Err(WeakPassword::TooShort));
        let long: String = "correct horse battery staple ".chars().cycle().take(256).collect();
        assert_eq!(judged(&long), Ok(()));
        assert_eq!(judged(&format!("{long}.")), Err(WeakPassword::TooLong));
        assert_eq!(judged("quietly harvest umbrella"), Ok(()), "neither capitals, digits nor symbols are asked for");
    }

    // PW7
    #[test]
    fn pw7_common_and_guessable_passwords_are_refused() {
        for password in [
            "password",
            "Password1!",
            "P@$$w0rd123",
            "qwertyuiop",
            "1234567890",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "iloveyou2",
            "drowssap1",
            "19841984",
            "P@$$w0rd{[<",
        ] {
            assert_eq!(judged(password), Err(WeakPassword::Guessable), "{password}");
        }
        assert_eq!(judged(&"a".repeat(256)), Err(WeakPassword::Guessable));
    }

    // PW7: the user's own address and name, whole, in pieces and dressed up.
    #[test]
    fn pw7_personal_words_are_refused() {
        for password in [
            "Maximiliane.Okonkwo@fernwood-labs.example",
            "maximiliane.okonkwo",
            "MaximilianeOkonkwo",
            "fernwood-labs.example",
            "Fernwood1",
            "M4ximiliane",
            "enailimixam",
            "séraphine1",
            "Se\u{301}raphine!",
            "Wijngaard99",
            "Séraphine van der Wijngaard",
            "okonkwookonkwo",
        ] {
            assert_eq!(judged(password), Err(WeakPassword::Personal), "{password}");
        }
        assert_eq!(judged("okonkwo-7#pfLx2.tundra"), Ok(()), "a word of one's own beside enough else is fine");
    }

    // PW6, PW7: what an attacker picks is judged in milliseconds too.
    #[test]
    fn pw6_costly_passwords_are_cut_to_size() {
        let costly = "4@8({[<3691!|70$5+%2";
        for repeats in 1..=12 {
            let cut = affordable(&costly.repeat(repeats));
            assert!(cut.chars().count() <= 40);
            assert!(!cut.contains(['{', '[', '<', '|', '$', '+']), "{cut}");
        }
        assert_eq!(affordable("P@$$w0rd{"), "P@$$w0rd{", "a few symbols are read in every way");
    }

    proptest! {
        // PW7: no password and no name makes the estimate panic.
        #[test]
        fn pw7_never_panics(password in "\\PC{8,256}", name in "\\PC{0,200}") {
            if let Ok(password) = Password::parse(password) {
                let email = Email::parse("ann@example.com").unwrap();
                let _verdict = PasswordRules.judge(&password, &email, Some(&name));
            }
        }
    }
}
