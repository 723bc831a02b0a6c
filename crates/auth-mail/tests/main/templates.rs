//! Replacing the words.

use auth_core::domain::{Content, Mail};
use auth_mail::{InvalidTemplate, Template, Templates, Words};

use crate::given::{CODE, LINK, composer_with, mail, reset, verify};

const GERMAN: Words<'static> = Words {
    subject: "Bestätige deine Adresse bei {{ app }}",
    text: "Hallo {{ name }},\n\n{{ code }}\n\n{{ link }}\n",
    html: "{% extends \"layout.html\" %}{% block body %}<p>{{ name }}: {{ code }} <a href=\"{{ link }}\">hier</a>{% endblock %}",
};

fn subject(templates: &Templates, locale: Option<&str>, content: Content) -> String {
    let mail = Mail { locale: locale.map(str::to_owned), ..mail(content) };
    composer_with(templates.clone()).compose(&mail).unwrap().subject().to_owned()
}

#[test]
fn speaks_the_readers_language_where_there_are_words_for_it() {
    let austrian = Words { subject: "Servus!", ..GERMAN };
    let templates = Templates::default().with(Template::Verify, "de", GERMAN).unwrap();
    let templates = templates.with(Template::Verify, "de-AT", austrian).unwrap();

    for locale in ["de", "DE", "de-DE", "de-Latn-DE-1996"] {
        assert_eq!(subject(&templates, Some(locale), verify()), "Bestätige deine Adresse bei Acme, Inc.", "{locale}");
    }
    assert_eq!(subject(&templates, Some("de-at-1996"), verify()), "Servus!");
    for locale in
        [None, Some("fr"), Some("d"), Some("den"), Some(""), Some("-"), Some("../../etc/passwd"), Some("de\r\n")]
    {
        assert_eq!(subject(&templates, locale, verify()), "Confirm your e-mail address", "{locale:?}");
    }
    assert_eq!(subject(&templates, Some("de"), reset()), "Reset your password", "no German words for this one");
}

#[test]
fn the_fallback_goes_before_english() {
    let templates = Templates::default().with(Template::Verify, "de", GERMAN).unwrap().fallback("de-DE").unwrap();
    assert_eq!(subject(&templates, Some("fr"), verify()), "Bestätige deine Adresse bei Acme, Inc.");
    assert_eq!(subject(&templates, None, verify()), "Bestätige deine Adresse bei Acme, Inc.");
    assert_eq!(subject(&templates, None, reset()), "Reset your password");
}

#[test]
fn replaced_words_and_layout_are_what_is_sent() {
    let templates = Templates::default().with(Template::Verify, "en", GERMAN).unwrap();
    let templates = templates.with_layout("<html><h1>{{ app }}</h1>{% block body %}{% endblock %}</html>").unwrap();
    let message = composer_with(templates).compose(&mail(verify())).unwrap();
    assert_eq!(message.text(), format!("Hallo Ann,\n\n{CODE}\n\n{LINK}"));
    assert!(message.html().starts_with("<html><h1>Acme, Inc.</h1><p>Ann: 042137 <a href="), "{}", message.html());
}

#[test]
fn words_that_would_break_the_contract_are_refused() {
    let html = GERMAN.html;
    let text = GERMAN.text;
    for (words, problem) in [
        (Words { subject: "", ..GERMAN }, "en/verify.subject: the subject must be one line"),
        (Words { subject: "a\nb", ..GERMAN }, "en/verify.subject: the subject must be one line"),
        (Words { subject: "{{ code }}", ..GERMAN }, "en/verify.subject: six digits in a row are for the code"),
        (
            Words { text: "{{ link }}", ..GERMAN },
            "en/verify.txt: the code must stand in it once, and no other six digits in a row",
        ),
        (
            Words { text: "{{ code }}\n{{ code }}\n{{ link }}", ..GERMAN },
            "en/verify.txt: the code must stand in it once, and no other six digits in a row",
        ),
        (
            Words { text: "call 0800123\n{{ code }}\n{{ link }}", ..GERMAN },
            "en/verify.txt: the code must stand in it once, and no other six digits in a row",
        ),
        (
            Words { text: "{{ code }} {{ link }}", ..GERMAN },
            "en/verify.txt: the link must stand in it once, alone on its line",
        ),
        (Words { text: "{{ code }}", ..GERMAN }, "en/verify.txt: the link must stand in it once, alone on its line"),
        (Words { text: "{{ link }}\n{{ code }}", ..GERMAN }, "en/verify.txt: the code must come before the link"),
        (Words { html: "{{ code }}", ..GERMAN }, "en/verify.html: the link must stand in it"),
        (
            Words { html: "{% autoescape false %}{{ name }}{{ code }}{{ link }}{% endautoescape %}", ..GERMAN },
            "en/verify.html: names must be escaped",
        ),
        (Words { text: "{{ code }", ..GERMAN }, "en/verify.txt"),
        (Words { text: "{{ nmae }}", ..GERMAN }, "en/verify.txt"),
    ] {
        let refused = Templates::default().with(Template::Verify, "en", words).unwrap_err();
        assert_eq!(refused.to_string(), problem);
    }
    // A notice has neither code nor link.
    let notice = Templates::default().with(Template::PasswordReset, "en", Words { subject: "x", text, html });
    assert!(matches!(notice, Err(InvalidTemplate::Broken { name, .. }) if name == "en/password-reset.txt"));

    // Nor can a mail leave out what it is sent for.
    let undo = |words| Templates::default().with(Template::UndoEmail, "en", words).unwrap_err().to_string();
    let (text, html) = ("{{ to }}\n{{ link }}", "{{ to }} {{ link }}");
    for (words, problem) in [
        (Words { subject: "x", text, html: "{{ to }}" }, "en/undo-email.html: the link must stand in it"),
        (Words { subject: "x", text: "{{ link }}", html }, "en/undo-email.txt: both parts must tell the new address"),
        (Words { subject: "x", text, html: "{{ link }}" }, "en/undo-email.txt: both parts must tell the new address"),
        (
            Words { subject: "x", text: "to {{ to }}: {{ link }}", html },
            "en/undo-email.txt: the link must stand in it once, alone on its line",
        ),
        (
            Words { subject: "x", text, html: "{% autoescape false %}{{ to }} {{ link }}{% endautoescape %}" },
            "en/undo-email.html: addresses must be escaped",
        ),
    ] {
        assert_eq!(undo(words), problem);
    }

    let device = |words| Templates::default().with(Template::NewDevice, "en", words).unwrap_err().to_string();
    let (text, html) = ("{{ device }}\n{{ link }}", "{{ device }} {{ link }}");
    for (words, problem) in [
        (Words { subject: "x", text: "{{ link }}", html }, "en/new-device.txt: both parts must tell the device"),
        (Words { subject: "x", text, html: "{{ link }}" }, "en/new-device.txt: both parts must tell the device"),
        (
            Words { subject: "x", text, html: "{% autoescape false %}{{ device }} {{ link }}{% endautoescape %}" },
            "en/new-device.html: devices must be escaped",
        ),
        // What is said of a device without a name is tried out as well.
        (
            Words {
                subject: "x",
                text,
                html: "{% if device %}{{ device }}{% else %}{{ name.x.y }}{% endif %} {{ link }}",
            },
            "en/new-device.html",
        ),
        (Words { subject: "x", text: "{{ code }} {{ device }}\n{{ link }}", html }, "en/new-device.txt"),
    ] {
        assert_eq!(device(words), problem);
    }

    // A code without a link, which is all that such a mail has.
    let code = |words| Templates::default().with(Template::SecondFactor, "en", words).unwrap_err().to_string();
    for (words, problem) in [
        (
            Words { subject: "x", text: "", html: "{{ code }}" },
            "en/second-factor.txt: the code must stand in it once, and no other six digits in a row",
        ),
        (Words { subject: "x", text: "{{ code }}", html: "" }, "en/second-factor.html: the code must stand in it"),
        (Words { subject: "x", text: "{{ code }} {{ link }}", html: "{{ code }}" }, "en/second-factor.txt"),
    ] {
        assert_eq!(code(words), problem);
    }

    let layout = Templates::default().with_layout("<html>{{ subject }}</html>").unwrap_err();
    assert_eq!(layout.to_string(), "en/verify.html: the code must stand in it");
    for locale in ["", "de_DE", "de-", "deutschland", "../de"] {
        let refused = Templates::default().with(Template::Verify, locale, GERMAN);
        assert!(matches!(refused, Err(InvalidTemplate::Locale(_))), "{locale}");
    }
}
