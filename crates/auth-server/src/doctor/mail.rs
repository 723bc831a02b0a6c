//! Whether mail gets out, and looks like ours.

use url::Url;

use super::{Facts, Findings};
use crate::config::Via;

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    let mail = &facts.config.mail;
    if matches!(mail.via, Via::Local { .. }) {
        return;
    }
    if let Some(Err(error)) = &facts.mailer {
        findings.error("mail", [
            &format!("the mail server doesn't take our mail: {error}"),
            "Nobody can prove an address or reset a password. Mail waits, and is sent once this is mended.",
            "Check SMTP_HOST, SMTP_PORT, SMTP_TLS, SMTP_USER and SMTP_PASS, and whether this machine may connect there.",
        ]);
    }
    let sender = mail.sender.domain();
    let frontend = facts.config.frontend_url.as_ref().or(facts.config.public_url.as_ref());
    let frontend = frontend.and_then(|url| Url::parse(url).ok());
    if let Some(site) = frontend.as_ref().and_then(Url::domain).filter(|site| !are_related(sender, site)) {
        findings.note(
            "mail-from",
            [
                &format!("mail is from {sender}, and its links lead to {site}"),
                "Mail whose links lead elsewhere looks like phishing, to filters and to users.",
                "Send from the domain of the links, with SPF, DKIM and DMARC.",
            ],
        );
    }
}

/// Whether two host names end in the same two labels, which is as much as can be told without a list of all registries.
fn are_related(a: &str, b: &str) -> bool {
    let site = |name: &str| {
        let labels: Vec<String> = name.rsplit('.').take(2).map(str::to_ascii_lowercase).collect();
        labels
    };
    site(a) == site(b)
}
