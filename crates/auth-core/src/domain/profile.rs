//! Parsers of the texts in a [`Profile`](super::Profile): each returns the text in the form that is stored.

/// A profile text breaks its rule; the message says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidField(&'static str);

/// A name: 1 to 200 characters after trimming, none of them a control or bidirectional formatting character.
///
/// # Errors
/// [`InvalidField`] when it isn't.
pub fn name(text: &str) -> Result<String, InvalidField> {
    let name = text.trim();
    let length = name.chars().count();
    // What the escape changes would let a name pretend to be something else in a mail or a list.
    if (1..=200).contains(&length) && super::escape(name, length) == name {
        Ok(name.to_owned())
    } else {
        Err(InvalidField("must be 1 to 200 characters without control characters"))
    }
}

/// An absolute `https` address of at most 2048 bytes, without credentials in it.
///
/// Other schemes are refused: a page that shows the picture must not run `javascript:`, nor be downgraded.
///
/// # Errors
/// [`InvalidField`] when it isn't.
pub fn image_url(text: &str) -> Result<String, InvalidField> {
    let invalid = Err(InvalidField("must be an https URL of at most 2048 characters"));
    let Ok(url) = url::Url::parse(text.trim()) else { return invalid };
    let is_plain = url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none();
    if is_plain && url.as_str().len() <= 2048 { Ok(url.into()) } else { invalid }
}

/// A telephone number in E.164 form: `+`, then 7 to 15 digits. Blanks, dots, hyphens and brackets between them are dropped.
///
/// # Errors
/// [`InvalidField`] when it isn't.
pub fn phone_number(text: &str) -> Result<String, InvalidField> {
    let number: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')).collect();
    let is_e164 = text.len() <= 64
        && number.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
        });
    if is_e164 { Ok(number) } else { Err(InvalidField("must be an international number such as +4930123456")) }
}

/// A BCP 47 language tag: subtags of 1 to 8 ASCII letters and digits, joined by hyphens, the first of 2 or 3 letters; at
/// most 35 characters.
///
/// # Errors
/// [`InvalidField`] when it isn't.
pub fn locale(text: &str) -> Result<String, InvalidField> {
    let mut subtags = text.split('-');
    let is_tag = text.len() <= 35
        && subtags
            .next()
            .is_some_and(|tag| (2..=3).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphabetic()))
        && subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
    if is_tag { Ok(text.to_owned()) } else { Err(InvalidField("must be a language tag such as en or pt-BR")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // AU3: nothing in a name reorders or breaks the line it is shown in.
    #[test]
    fn au3_names_hold_no_control_characters() {
        assert_eq!(name(" Zoë 李 "), Ok("Zoë 李".into()));
        for text in ["", "  ", "a\nb", "a\u{202e}b", "a\0", "\u{2066}x", &"x".repeat(201)] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn image_urls_are_https() {
        assert_eq!(image_url("https://example.com/a.png"), Ok("https://example.com/a.png".into()));
        for text in [
            "http://example.com/a.png",
            "javascript:alert(1)",
            "//example.com",
            "data:,",
            "https://a:b@example.com/",
            "",
        ] {
            assert!(image_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn phone_numbers_are_e164() {
        assert_eq!(phone_number("+49 (30) 123-456"), Ok("+4930123456".into()));
        for text in ["030123456", "+0301234567", "+1234", "+1234567890123456", "+49x30123456", "", "+４９30123456"] {
            assert!(phone_number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn locales_are_language_tags() {
        for text in ["en", "pt-BR", "zh-Hant-TW", "gsw"] {
            assert_eq!(locale(text), Ok(text.to_owned()));
        }
        for text in ["", "e", "engl", "en-", "en_US", "en-US;q=1", "en\n"] {
            assert!(locale(text).is_err(), "{text}");
        }
    }
}
