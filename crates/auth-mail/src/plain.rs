//! Text of strangers, made fit to stand in a mail.

/// A name as a mail may say it; `None` when it is unfit for that.
///
/// Whoever registers somebody else's address chooses the name in the mail that goes there, and whoever signs in what their
/// device is called. So it must not be able to carry a message of its own:
/// - one line of at most 64 characters, without control, invisible and bidirectional characters;
/// - a space after each full stop and colon, so that no mail reader makes a link of it;
/// - not with six digits in a row, which would pass for the code.
pub(crate) fn plain_line(name: &str) -> Option<String> {
    const MAX: usize = 64;
    let visible: String =
        name.chars().filter(|&c| !is_deceptive(c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut safe = String::with_capacity(line.len());
    for (index, c) in line.chars().enumerate() {
        if index == MAX {
            safe.push('…');
            break;
        }
        if safe.ends_with(['.', ':']) && c != ' ' {
            safe.push(' ');
        }
        safe.push(c);
    }
    (!safe.is_empty() && !has_six_digits(&safe)).then_some(safe)
}

/// Whether `c` is invisible or changes the order in which text is shown.
///
/// Zero-width joiner and non-joiner are left: names of several scripts are spelt with them.
pub(crate) const fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether six or more digits, of any script, stand together.
pub(crate) fn has_six_digits(text: &str) -> bool {
    six_digits(text).next().is_some()
}

/// The places where six or more digits stand together, with the digits.
pub(crate) fn six_digits(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split(|c: char| !c.is_numeric())
        .filter(|run| run.chars().nth(5).is_some())
        .map(move |run| (run.as_ptr() as usize - start, run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["Ann", "José Ñuñez", "O'Neill", "Anne-Marie", "李小龍", "علی‌رضا", "Dr. No", "Agent 007"]
        {
            assert_eq!(plain_line(name).as_deref(), Some(name));
        }
        assert_eq!(plain_line("J.R.R. Tolkien").as_deref(), Some("J. R. R. Tolkien"));
        assert_eq!(plain_line(" Ann \t Lee ").as_deref(), Some("Ann Lee"));
    }

    // AU3: neither control nor bidirectional characters survive.
    #[test]
    fn au3_names_stay_on_their_line_and_in_order() {
        assert_eq!(plain_line("Ann\r\n\r\nYour code: none").as_deref(), Some("Ann Your code: none"));
        assert_eq!(plain_line("A\u{202e}nn\u{2066}\u{1b}[2J\0").as_deref(), Some("Ann [2J"));
        assert_eq!(plain_line("\u{200b}\u{202e}"), None);
        assert_eq!(plain_line(&"a".repeat(100)), Some(format!("{}…", "a".repeat(64))));
    }

    #[test]
    fn names_are_neither_links_nor_codes() {
        assert_eq!(plain_line("http://evil.example/win").as_deref(), Some("http: //evil. example/win"));
        for name in ["123456", "Call 0800123456", "12\u{200b}34\u{2060}56", "١٢٣٤٥٦", "１２３４５６"] {
            assert_eq!(plain_line(name), None, "{name:?}");
        }
    }
}
