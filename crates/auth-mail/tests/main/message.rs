//! Composing: headers, text and HTML of every mail.

use auth_core::domain::{Content, Mail};
use auth_mail::{Composer, Message, Sender, Template, Templates};
use proptest::prelude::*;
use std::sync::Arc;

use crate::given::{
    CODE, LINK, Still, addressed, change_email, composer, every_content, header, mail, named, new_device, parts,
    reauthenticate, reset, second_factor, undo_email, verify,
};

fn composed(mail: &Mail) -> Message {
    composer().compose(mail).unwrap()
}

fn source(message: &Message) -> String {
    String::from_utf8(message.mime().to_vec()).unwrap()
}

#[test]
fn every_mail_as_it_travels() {
    let every = every_content();
    for template in Template::ALL {
        assert!(every.iter().any(|(name, _)| *name == template.as_str()), "{template:?}");
    }
    for (name, content) in every {
        insta::assert_snapshot!(name, source(&composed(&mail(content))));
    }
}

#[test]
fn beyond_ascii_the_source_is_encoded_and_decodes_to_the_same() {
    let message = composed(&named("Żaneta Løvås"));
    insta::assert_snapshot!("verify-beyond-ascii", source(&message));

    assert!(message.mime().is_ascii());
    let (text, html) = parts(message.mime());
    assert_eq!(text.trim_end(), message.text().trim_end());
    assert_eq!(html.trim_end(), message.html().trim_end());
    assert!(text.starts_with("Hello Żaneta Løvås,\n"), "{text}");
    assert!(text.lines().any(|line| line == LINK), "{text}");
}

#[test]
fn headers_tell_kind_sender_and_the_one_recipient() {
    let message = composed(&mail(reset()));
    let only = |name: &str| match &header(message.mime(), name)[..] {
        [value] => value.clone(),
        values => panic!("{name}: {values:?}"),
    };
    assert_eq!(only("X-Auth-Mail"), "reset");
    assert_eq!(only("Auto-Submitted"), "auto-generated");
    assert_eq!(only("To"), "ann@example.com");
    assert_eq!(only("From"), "Acme, Inc. <no-reply@acme.example>");
    assert_eq!(only("Date"), "Fri, 20 Nov 2026 10:31:00 +0000");
    assert_eq!(only("Message-ID"), "<0199-1c2f-0123-7456-8789-0123-4567-8901@acme.example>");
    assert_eq!((message.from(), message.to()), ("no-reply@acme.example", "ann@example.com"));
    for name in ["Cc", "Bcc", "Sender", "Reply-To"] {
        assert!(header(message.mime(), name).is_empty(), "{name}");
    }
}

#[test]
fn a_mail_sent_again_keeps_its_message_id() {
    assert_eq!(source(&composed(&mail(verify()))), source(&composed(&mail(verify()))));
}

/// Runs of six and more digits, of any script.
fn six_digits(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_numeric()).filter(|run| run.chars().count() >= 6).collect()
}

#[test]
fn the_code_is_the_first_and_only_six_digits() {
    for content in [verify(), reset(), change_email()] {
        let message = composed(&mail(content));
        let (text, html) = parts(message.mime());
        assert_eq!(six_digits(&text), [CODE, "654321"], "the second is the token's");
        assert_eq!(text.lines().filter(|line| *line == CODE).count(), 1);
        assert_eq!(html.matches(CODE).count(), 1);
        // Not even the source has others before it: neither headers nor boundary.
        assert_eq!(six_digits(&source(&message))[0], CODE);
    }
    for content in [second_factor(), reauthenticate()] {
        let message = composed(&mail(content));
        let (text, html) = parts(message.mime());
        assert_eq!(six_digits(&text), [CODE]);
        assert_eq!(text.lines().filter(|line| *line == CODE).count(), 1);
        assert_eq!(html.matches(CODE).count(), 1);
        assert_eq!(six_digits(&source(&message)), [CODE, CODE], "once a part");
    }
    for (name, content) in every_content() {
        match content {
            Content::Exists | Content::Notice(_) => {
                assert_eq!(six_digits(&source(&composed(&mail(content)))), [""; 0], "{name}");
            }
            Content::UndoEmail { .. } | Content::NewDevice { .. } => {
                let (text, _) = parts(composed(&mail(content)).mime());
                assert_eq!(six_digits(&text), ["654321"], "{name}: the token's");
            }
            _ => {}
        }
    }
}

#[test]
fn codes_come_with_a_warning() {
    for (name, content) in every_content() {
        let has_code = matches!(name, "verify" | "reset" | "change-email" | "second-factor" | "reauthenticate");
        let (text, html) = parts(composed(&mail(content)).mime());
        assert_eq!(text.contains("Please don't pass the code on"), has_code, "{name}");
        assert_eq!(html.contains("Please don&rsquo;t pass the code on"), has_code, "{name}");
    }
}

#[test]
fn the_link_stands_alone_on_its_line_unbroken() {
    for (content, page) in [
        (verify(), "verify-email"),
        (reset(), "reset-password"),
        (change_email(), "confirm-email"),
        (undo_email("ann@elsewhere.example"), "undo-email"),
        (new_device("Firefox on Linux"), "report-session"),
        (new_device(""), "report-session"),
    ] {
        let (text, _) = parts(composed(&mail(content)).mime());
        let link = LINK.replace("verify-email", page);
        assert_eq!(text.lines().filter(|line| line.contains("://")).collect::<Vec<_>>(), [link]);
    }
    // And in the source as well, where the text is ASCII.
    assert!(source(&composed(&mail(verify()))).contains(&format!("\r\n\r\n{LINK}\r\n\r\n")));
}

// EM3: a name is text, not markup.
#[test]
fn em3_names_are_escaped_in_html() {
    let message = composed(&named("<img src=x onerror=alert(1)>&\"'"));
    let (text, html) = parts(message.mime());
    assert!(html.contains("Hello &lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#x27;,"), "{html}");
    assert!(!html.contains("<img"), "{html}");
    assert!(text.starts_with("Hello <img src=x onerror=alert(1)>&\"',\n"), "{text}");
}

// EM3: what a template says about itself isn't executed either.
#[test]
fn em3_names_are_no_templates() {
    let (text, html) = parts(composed(&named("{{ code }}{% raw %}")).mime());
    assert!(text.starts_with("Hello {{ code }}{% raw %},"), "{text}");
    assert_eq!((text.matches(CODE).count(), html.matches(CODE).count()), (1, 1));
}

// EM3, VT9: the other address is told in full, and as text.
#[test]
fn em3_other_addresses_are_escaped_in_html() {
    let (text, html) = parts(composed(&mail(undo_email("o'neill&co@elsewhere.example"))).mime());
    assert!(text.contains("move from this address to o'neill&co@elsewhere.example."), "{text}");
    assert!(html.contains("to o&#x27;neill&amp;co@elsewhere.example."), "{html}");
}

// EM3: a device is called what its client likes, and the mail says it as text: on its line, no link and no code.
#[test]
fn em3_devices_are_strangers_text() {
    let told = |device: &str| parts(composed(&mail(new_device(device))).mime());
    for (device, text, html) in [
        ("Firefox on Linux", "a new device: Firefox on Linux.", "a new device: Firefox on Linux."),
        (
            "<b>O'Neill&co</b>",
            "a new device: <b>O'Neill&co</b>.",
            "device: &lt;b&gt;O&#x27;Neill&amp;co&lt;&#x2f;b&gt;.",
        ),
        ("{{ link }}", "a new device: {{ link }}.", "a new device: {{ link }}."),
        ("evil.example", "a new device: evil. example.", "a new device: evil. example."),
        ("A\r\n\r\nB\u{202e}", "a new device: A B.", "a new device: A B."),
        ("", "from a new device.", "from a new device."),
        ("\u{200b}", "from a new device.", "from a new device."),
        ("123456", "from a new device.", "from a new device."),
    ] {
        let (text_part, html_part) = told(device);
        assert!(text_part.lines().any(|line| line.ends_with(text)), "{device:?}: {text_part}");
        assert!(html_part.contains(html), "{device:?}: {html_part}");
        assert_eq!(six_digits(&text_part), ["654321"], "{device:?}: the token's");
    }
}

// EM1: nothing of a name reaches a header, a line of its own, or the recipients.
#[test]
fn em1_names_inject_no_headers() {
    for name in
        ["Ann\r\nBcc: bob@example.com", "Ann\n\n<script>", "Ann\r\n.\r\nRCPT TO:<bob@example.com>", "A\0nn\u{2028}B"]
    {
        let message = composed(&named(name));
        let (text, _) = parts(message.mime());
        assert_eq!(header(message.mime(), "To"), ["ann@example.com"]);
        assert!(header(message.mime(), "Bcc").is_empty());
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("Hello A") && first.ends_with(','), "{text}");
        assert_eq!(text.lines().nth(1), Some(""));
    }
}

#[test]
fn an_address_beyond_ascii_stays_as_it_is() {
    let message = composed(&addressed("josé@bücher.example"));
    assert_eq!(message.to(), "josé@xn--bcher-kva.example");
    assert!(source(&message).contains("\r\nTo: josé@xn--bcher-kva.example\r\n"));
}

#[test]
fn a_sender_without_a_name_is_called_by_its_domain() {
    let sender = Sender::parse("no-reply@acme.example").unwrap();
    let message = Composer::new(sender, Templates::default(), Arc::new(Still)).compose(&mail(verify())).unwrap();
    assert!(message.text().contains("welcome to acme.example!"));
    assert_eq!(header(message.mime(), "From"), ["no-reply@acme.example"]);
}

// SC1: neither code nor link prints.
#[test]
fn sc1_messages_do_not_print() {
    assert_eq!(format!("{:?}", composed(&mail(verify()))), "Message(verify, 01991c2f-0123-7456-8789-012345678901)");
}

/// Names of a stranger who tries: what means something to a mail, a mail reader or a template, between anything else.
fn names() -> impl Strategy<Value = String> {
    let means: &'static [&str] = &[
        "http://",
        "www.evil.example",
        "/",
        "123",
        "٤٥٦",
        "７８９",
        "<b>",
        "</p>",
        "&lt;",
        "\"",
        "{{",
        "%}",
        "\r\n",
        "\n\n",
        "\0",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{2028}",
        " ",
        ".",
        ":",
        "é",
    ];
    let piece = prop_oneof![3 => prop::sample::select(means).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    // EM1, EM3: whatever the name, the code is the only code, the link the only link, the greeting one line, and the
    // HTML has no tag that the template hasn't.
    #[test]
    fn em3_no_name_changes_what_a_mail_says(name in names()) {
        let (text, html) = parts(composed(&named(&name)).mime());
        let (_, plain) = parts(composed(&Mail { name: None, ..mail(verify()) }).mime());

        prop_assert_eq!(six_digits(&text), [CODE, "654321"]);
        prop_assert_eq!(text.matches("://").count(), 1);
        prop_assert_eq!(text.lines().count(), composed(&mail(verify())).text().lines().count());
        prop_assert!(!text.replace('\n', "").contains(char::is_control));
        prop_assert_eq!(html.matches('<').count(), plain.matches('<').count());
    }
}
