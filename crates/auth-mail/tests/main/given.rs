//! Mails and composers to test with.

use std::sync::Arc;

use auth_core::domain::{Code, Content, Email, Link, Mail, Notice, Timestamp};
use auth_core::port::Clock;
use auth_mail::{Composer, Sender, Templates};
use mailparse::{MailHeaderMap, ParsedMail};

pub(crate) const CODE: &str = "042137";
// The token has six digits in a row, as one in some hundred has.
pub(crate) const LINK: &str = "https://app.acme.example/verify-email?token=Zr3_0u654321-CfGdLkmPqVsNtYwXbHjK8x2-A9e";

/// 2026-11-20 10:31:00.25 UTC, for ever.
#[derive(Debug)]
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_795_170_660_250_000)
    }
}

pub(crate) fn composer() -> Composer {
    composer_with(Templates::default())
}

pub(crate) fn composer_with(templates: Templates) -> Composer {
    let sender = Sender::parse("Acme, Inc. <no-reply@acme.example>").unwrap();
    Composer::new(sender, templates, Arc::new(Still))
}

pub(crate) fn mail(content: Content) -> Mail {
    Mail {
        id: "01991c2f-0123-7456-8789-012345678901".parse().unwrap(),
        to: Email::parse("ann@example.com").unwrap(),
        name: Some("Ann".to_owned()),
        locale: None,
        content,
    }
}

pub(crate) fn named(name: &str) -> Mail {
    Mail { name: Some(name.to_owned()), ..mail(verify()) }
}

pub(crate) fn addressed(to: &str) -> Mail {
    Mail { to: Email::parse(to).unwrap(), ..mail(verify()) }
}

pub(crate) fn verify() -> Content {
    Content::Verify { code: Code::parse(CODE).unwrap(), link: Link::new(LINK.to_owned()) }
}

pub(crate) fn reset() -> Content {
    let link = LINK.replace("verify-email", "reset-password");
    Content::Reset { code: Code::parse(CODE).unwrap(), link: Link::new(link) }
}

pub(crate) fn change_email() -> Content {
    let link = LINK.replace("verify-email", "confirm-email");
    Content::ChangeEmail { code: Code::parse(CODE).unwrap(), link: Link::new(link) }
}

pub(crate) fn undo_email(to: &str) -> Content {
    let link = LINK.replace("verify-email", "undo-email");
    Content::UndoEmail { to: Email::parse(to).unwrap(), link: Link::new(link) }
}

pub(crate) fn second_factor() -> Content {
    Content::SecondFactor { code: Code::parse(CODE).unwrap() }
}

pub(crate) fn reauthenticate() -> Content {
    Content::Reauthenticate { code: Code::parse(CODE).unwrap() }
}

pub(crate) fn new_device(device: &str) -> Content {
    let link = LINK.replace("verify-email", "report-session");
    Content::NewDevice { device: device.to_owned(), link: Link::new(link) }
}

/// Every mail that there is, by the name of its template, and one that has less to say.
pub(crate) fn every_content() -> [(&'static str, Content); 19] {
    [
        ("verify", verify()),
        ("reset", reset()),
        ("exists", Content::Exists),
        ("change-email", change_email()),
        ("undo-email", undo_email("ann.new@elsewhere.example")),
        ("second-factor", second_factor()),
        ("reauthenticate", reauthenticate()),
        ("new-device", new_device("Firefox on Linux")),
        ("new-device-unnamed", new_device("")),
        ("password-changed", notice(Notice::PasswordChanged)),
        ("password-reset", notice(Notice::PasswordReset)),
        ("email-changed", notice(Notice::EmailChanged)),
        ("account-deleted", notice(Notice::AccountDeleted)),
        ("email-factor-on", notice(Notice::EmailFactorOn)),
        ("email-factor-off", notice(Notice::EmailFactorOff)),
        ("totp-on", notice(Notice::TotpOn)),
        ("totp-off", notice(Notice::TotpOff)),
        ("recovery-codes-renewed", notice(Notice::RecoveryCodesRenewed)),
        ("recovery-code-used", notice(Notice::RecoveryCodeUsed)),
    ]
}

pub(crate) fn notice(notice: Notice) -> Content {
    Content::Notice(notice)
}

/// The text and the HTML part of a message, as another program decodes them.
pub(crate) fn parts(mime: &[u8]) -> (String, String) {
    let parsed = mailparse::parse_mail(mime).unwrap();
    assert_eq!(parsed.ctype.mimetype, "multipart/alternative");
    let [text, html] = &parsed.subparts[..] else { panic!("{} parts", parsed.subparts.len()) };
    assert_eq!((&*text.ctype.mimetype, &*text.ctype.charset), ("text/plain", "utf-8"));
    assert_eq!((&*html.ctype.mimetype, &*html.ctype.charset), ("text/html", "utf-8"));
    (body(text), body(html))
}

fn body(part: &ParsedMail<'_>) -> String {
    part.get_body().unwrap().replace("\r\n", "\n")
}

/// All values of a header.
pub(crate) fn header(mime: &[u8], name: &str) -> Vec<String> {
    mailparse::parse_mail(mime).unwrap().headers.get_all_values(name)
}
