//! The words of each mail, per language, replaceable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use auth_core::domain::{Content, Mail, Notice};
use auth_core::port::MailError;
use minijinja::{Environment, HtmlEscape, UndefinedBehavior, Value, context};

use crate::plain::{plain_line, six_digits};

/// Which mail a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Template {
    /// Prove that you receive mail here: has `code` and `link`.
    Verify,
    /// Set a new password: has `code` and `link`.
    Reset,
    /// Somebody, perhaps you, registered this address, which has an account.
    Exists,
    /// Confirm that your account is to move to this address: has `code` and `link`.
    ChangeEmail,
    /// Your account is about to move elsewhere: has `to`, that address, and `link`, which stops the move or takes it back.
    UndoEmail,
    /// Finish signing in, or switch codes by mail on or off: has `code`. Its words must fit each.
    SecondFactor,
    /// Prove again who you are: has `code`.
    Reauthenticate,
    /// A new device has signed in: has `device`, what it seems to be, possibly empty, and `link`, which ends that session and
    /// begins a reset of the password.
    NewDevice,
    /// Your password was changed by somebody signed in.
    PasswordChanged,
    /// Your password was reset by mail.
    PasswordReset,
    /// Your account moved to another address; told at the one before.
    EmailChanged,
    /// Your account was deleted.
    AccountDeleted,
    /// The second factor by mail is on.
    EmailFactorOn,
    /// The second factor by mail is off.
    EmailFactorOff,
    /// The second factor by authenticator app is on, or by another app than before.
    TotpOn,
    /// The second factor by authenticator app is off.
    TotpOff,
    /// There are new recovery codes, and those before are dead.
    RecoveryCodesRenewed,
    /// A recovery code was used, and is spent.
    RecoveryCodeUsed,
}

impl Template {
    /// Every template.
    pub const ALL: &'static [Self] = &[
        Self::Verify,
        Self::Reset,
        Self::Exists,
        Self::ChangeEmail,
        Self::UndoEmail,
        Self::SecondFactor,
        Self::Reauthenticate,
        Self::NewDevice,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChanged,
        Self::AccountDeleted,
        Self::EmailFactorOn,
        Self::EmailFactorOff,
        Self::TotpOn,
        Self::TotpOff,
        Self::RecoveryCodesRenewed,
        Self::RecoveryCodeUsed,
    ];

    /// Its name, as in `templates/en/verify.txt`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Exists => "exists",
            Self::ChangeEmail => "change-email",
            Self::UndoEmail => "undo-email",
            Self::SecondFactor => "second-factor",
            Self::Reauthenticate => "reauthenticate",
            Self::NewDevice => "new-device",
            Self::PasswordChanged => "password-changed",
            Self::PasswordReset => "password-reset",
            Self::EmailChanged => "email-changed",
            Self::AccountDeleted => "account-deleted",
            Self::EmailFactorOn => "email-factor-on",
            Self::EmailFactorOff => "email-factor-off",
            Self::TotpOn => "totp-on",
            Self::TotpOff => "totp-off",
            Self::RecoveryCodesRenewed => "recovery-codes-renewed",
            Self::RecoveryCodeUsed => "recovery-code-used",
        }
    }

    /// What `content` is told with, and what it carries.
    fn of(content: &Content) -> (Self, Facts) {
        let template = match content {
            Content::Verify { .. } => Self::Verify,
            Content::Reset { .. } => Self::Reset,
            Content::Exists => Self::Exists,
            Content::ChangeEmail { .. } => Self::ChangeEmail,
            Content::UndoEmail { .. } => Self::UndoEmail,
            Content::SecondFactor { .. } => Self::SecondFactor,
            Content::Reauthenticate { .. } => Self::Reauthenticate,
            Content::NewDevice { .. } => Self::NewDevice,
            Content::Notice(Notice::PasswordChanged) => Self::PasswordChanged,
            Content::Notice(Notice::PasswordReset) => Self::PasswordReset,
            Content::Notice(Notice::EmailChanged) => Self::EmailChanged,
            Content::Notice(Notice::AccountDeleted) => Self::AccountDeleted,
            Content::Notice(Notice::EmailFactorOn) => Self::EmailFactorOn,
            Content::Notice(Notice::EmailFactorOff) => Self::EmailFactorOff,
            Content::Notice(Notice::TotpOn) => Self::TotpOn,
            Content::Notice(Notice::TotpOff) => Self::TotpOff,
            Content::Notice(Notice::RecoveryCodesRenewed) => Self::RecoveryCodesRenewed,
            Content::Notice(Notice::RecoveryCodeUsed) => Self::RecoveryCodeUsed,
        };
        (template, Facts::of(content))
    }

    /// What a mail of this kind carries, for trying its words out.
    fn specimen(self) -> Facts {
        let code = || Some("271828".to_owned());
        let link = || Some("https://app.example/open?token=Ab-_Cd".to_owned());
        match self {
            Self::Verify | Self::Reset | Self::ChangeEmail => Facts { code: code(), link: link(), ..Facts::default() },
            Self::UndoEmail => Facts { link: link(), to: Some("<to>@app.example".to_owned()), ..Facts::default() },
            Self::SecondFactor | Self::Reauthenticate => Facts { code: code(), ..Facts::default() },
            Self::NewDevice => Facts { link: link(), device: Some("<device>".to_owned()), ..Facts::default() },
            Self::Exists
            | Self::PasswordChanged
            | Self::PasswordReset
            | Self::EmailChanged
            | Self::AccountDeleted
            | Self::EmailFactorOn
            | Self::EmailFactorOff
            | Self::TotpOn
            | Self::TotpOff
            | Self::RecoveryCodesRenewed
            | Self::RecoveryCodeUsed => Facts::default(),
        }
    }
}

/// What a mail says, as three [minijinja](https://docs.rs/minijinja/latest/minijinja/syntax/) templates.
///
/// They know `app` (what mails call the application), `name` (the reader's, possibly empty), `locale`, and what the
/// [`Template`] has beside, as `code` and `link`; the two bodies also `subject`.
/// In `html` everything is escaped, and `{% extends "layout.html" %}` with a block `body` takes the common frame.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// One line.
    pub subject: &'a str,
    /// The plain text part. `{{ code }}` comes before `{{ link }}`, and the link alone on its line.
    pub text: &'a str,
    /// The HTML part.
    pub html: &'a str,
}

/// The words of every mail, English unless replaced.
///
/// A mail speaks its reader's language where there are words for it (`de-AT`, then `de`: RFC 4647 §3.4), else the
/// [fallback](Self::fallback), else English.
///
/// - Cheap to clone.
/// - What is replaced is tried out at once: a mail that would break the wire contract (code once, before the link; link
///   alone on its line) is refused here rather than sent.
#[derive(Clone)]
pub struct Templates {
    engine: Arc<Environment<'static>>,
    known: BTreeSet<(Template, String)>,
    fallback: String,
}

/// Words that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTemplate {
    /// Not a language tag, like `de` or `pt-BR`.
    #[error("{0:?} is no language tag, like de or pt-BR")]
    Locale(String),
    /// Malformed, or with a variable that this mail doesn't have.
    #[error("{name}")]
    Broken {
        /// Which one, as `de/verify.txt`.
        name: String,
        /// What is wrong with it, and where.
        #[source]
        source: minijinja::Error,
    },
    /// A mail made of it would break a rule.
    #[error("{name}: {rule}")]
    Rule {
        /// Which one, as `de/verify.txt`.
        name: String,
        /// The rule.
        rule: &'static str,
    },
}

/// A mail in words.
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// What a mail carries beside its words.
#[derive(Default)]
struct Facts {
    code: Option<String>,
    link: Option<String>,
    to: Option<String>,
    device: Option<String>,
}

impl Facts {
    fn of(content: &Content) -> Self {
        match content {
            Content::Verify { code, link } | Content::Reset { code, link } | Content::ChangeEmail { code, link } => {
                Self { code: Some(code.expose()), link: Some(link.expose().to_owned()), ..Self::default() }
            }
            Content::UndoEmail { to, link } => {
                Self { link: Some(link.expose().to_owned()), to: Some(to.as_str().to_owned()), ..Self::default() }
            }
            Content::SecondFactor { code } | Content::Reauthenticate { code } => {
                Self { code: Some(code.expose()), ..Self::default() }
            }
            // A client calls itself what it likes: a stranger's text, like a name.
            Content::NewDevice { device, link } => Self {
                link: Some(link.expose().to_owned()),
                device: Some(plain_line(device).unwrap_or_default()),
                ..Self::default()
            },
            Content::Exists | Content::Notice(_) => Self::default(),
        }
    }

    /// Those that are there: a template that asks for another is broken, instead of saying nothing in its place.
    fn to_value(&self) -> Value {
        let named = [("code", &self.code), ("link", &self.link), ("to", &self.to), ("device", &self.device)];
        let there: BTreeMap<&'static str, Value> =
            named.into_iter().filter_map(|(name, fact)| Some((name, Value::from(fact.as_deref()?)))).collect();
        there.into()
    }
}

impl Default for Templates {
    /// English.
    #[expect(clippy::expect_used, reason = "the templates are compiled in, and every test renders them")]
    fn default() -> Self {
        let mut engine = Environment::empty();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(minijinja::default_auto_escape_callback);
        engine.add_template("layout.html", include_str!("../templates/layout.html")).expect("a valid layout");
        let mut templates = Self { engine: Arc::new(engine), known: BTreeSet::new(), fallback: ENGLISH.to_owned() };
        for &template in Template::ALL {
            templates = templates.with(template, ENGLISH, english(template)).expect("valid words");
        }
        templates
    }
}

const ENGLISH: &str = "en";

const fn english(template: Template) -> Words<'static> {
    macro_rules! words {
        ($name:literal, $subject:literal) => {
            Words {
                subject: $subject,
                text: include_str!(concat!("../templates/en/", $name, ".txt")),
                html: include_str!(concat!("../templates/en/", $name, ".html")),
            }
        };
    }
    match template {
        Template::Verify => words!("verify", "Confirm your e-mail address"),
        Template::Reset => words!("reset", "Reset your password"),
        Template::Exists => words!("exists", "You have an account already"),
        Template::ChangeEmail => words!("change-email", "Confirm your new e-mail address"),
        Template::UndoEmail => words!("undo-email", "Your account is about to move to another address"),
        Template::SecondFactor => words!("second-factor", "Your code"),
        Template::Reauthenticate => words!("reauthenticate", "Confirm that it is you"),
        Template::NewDevice => words!("new-device", "A new device signed in to your account"),
        Template::PasswordChanged => words!("password-changed", "Your password was changed"),
        Template::PasswordReset => words!("password-reset", "Your password was reset"),
        Template::EmailChanged => words!("email-changed", "Your account moved to another address"),
        Template::AccountDeleted => words!("account-deleted", "Your account was deleted"),
        Template::EmailFactorOn => words!("email-factor-on", "Codes by mail are on"),
        Template::EmailFactorOff => words!("email-factor-off", "Codes by mail are off"),
        Template::TotpOn => words!("totp-on", "An authenticator app was connected to your account"),
        Template::TotpOff => words!("totp-off", "Your authenticator app was switched off"),
        Template::RecoveryCodesRenewed => words!("recovery-codes-renewed", "You have new recovery codes"),
        Template::RecoveryCodeUsed => words!("recovery-code-used", "A recovery code was used"),
    }
}

impl Templates {
    /// Replaces the words of one mail in one language, or adds a language.
    ///
    /// # Errors
    /// [`InvalidTemplate`] when they don't make a mail.
    pub fn with(mut self, template: Template, locale: &str, words: Words<'_>) -> Result<Self, InvalidTemplate> {
        let locale = tag(locale).ok_or_else(|| InvalidTemplate::Locale(locale.to_owned()))?;
        for (part, source) in [(SUBJECT, words.subject), (TEXT, words.text), (HTML, words.html)] {
            self.add(part_name(&locale, template, part), source)?;
        }
        self.check(template, &locale)?;
        self.known.insert((template, locale));
        Ok(self)
    }

    /// Replaces the frame of the HTML parts: a template with a block named `body`.
    ///
    /// # Errors
    /// [`InvalidTemplate`] when it doesn't make a mail.
    pub fn with_layout(mut self, html: &str) -> Result<Self, InvalidTemplate> {
        self.add("layout.html".to_owned(), html)?;
        for (template, locale) in &self.known {
            self.check(*template, locale)?;
        }
        Ok(self)
    }

    /// Speaks `locale` to those who chose no language, or one there are no words for.
    ///
    /// # Errors
    /// [`InvalidTemplate::Locale`] when it is no language tag.
    pub fn fallback(mut self, locale: &str) -> Result<Self, InvalidTemplate> {
        self.fallback = tag(locale).ok_or_else(|| InvalidTemplate::Locale(locale.to_owned()))?;
        Ok(self)
    }

    /// Puts `mail` into words.
    pub(crate) fn render(&self, mail: &Mail, app: &str) -> Result<Rendered, MailError> {
        let (template, facts) = Template::of(&mail.content);
        let locale = self.locale(template, mail.locale.as_deref());
        let name = mail.name.as_deref().and_then(plain_line).unwrap_or_default();
        // Later may be better than never: corrected templates can send it.
        self.words(template, locale, app, &name, &facts).map_err(|error| MailError::Transient(error.to_string()))
    }

    fn add(&mut self, name: String, source: &str) -> Result<(), InvalidTemplate> {
        Arc::make_mut(&mut self.engine)
            .add_template_owned(name.clone(), source.to_owned())
            .map_err(|source| InvalidTemplate::Broken { name, source })
    }

    /// The language to speak: the most specific of what the reader wants, the fallback and English.
    fn locale(&self, template: Template, wanted: Option<&str>) -> &str {
        let wanted = wanted.and_then(tag);
        let prefixes = |tag: &str| -> Vec<String> {
            let ends = tag.match_indices('-').map(|(end, _)| end).chain([tag.len()]);
            ends.map(|end| tag[..end].to_owned()).collect()
        };
        [wanted.as_deref(), Some(&self.fallback)]
            .into_iter()
            .flatten()
            .flat_map(|tag| prefixes(tag).into_iter().rev())
            .find_map(|tag| self.known.get(&(template, tag)))
            .map_or(ENGLISH, |(_, locale)| locale)
    }

    fn words(
        &self,
        template: Template,
        locale: &str,
        app: &str,
        name: &str,
        facts: &Facts,
    ) -> Result<Rendered, InvalidTemplate> {
        let context = context! { app, name, locale, ..facts.to_value() };
        let render = |part: &str, context: &Value| {
            let name = part_name(locale, template, part);
            self.engine
                .get_template(&name)
                .and_then(|template| template.render(context))
                .map(|text| text.replace('\r', ""))
                .map_err(|source| InvalidTemplate::Broken { name, source })
        };
        let subject = render(SUBJECT, &context)?.trim().to_owned();
        let context = context! { subject => &subject, ..context };
        let (text, html) = (render(TEXT, &context)?, render(HTML, &context)?);
        Ok(Rendered { subject, text, html })
    }

    /// Renders a specimen and holds it against the rules.
    fn check(&self, template: Template, locale: &str) -> Result<(), InvalidTemplate> {
        let facts = template.specimen();
        let words = self.words(template, locale, "App", "<specimen>", &facts)?;
        let rule = |holds: bool, part: &str, rule: &'static str| {
            if holds { Ok(()) } else { Err(InvalidTemplate::Rule { name: part_name(locale, template, part), rule }) }
        };
        let is_line = !words.subject.is_empty() && !words.subject.contains(char::is_control);
        rule(is_line, SUBJECT, "the subject must be one line")?;
        rule(six_digits(&words.subject).next().is_none(), SUBJECT, "six digits in a row are for the code")?;
        rule(!words.html.contains("<specimen>"), HTML, "names must be escaped")?;
        rule(!words.html.contains("<to>"), HTML, "addresses must be escaped")?;
        rule(!words.html.contains("<device>"), HTML, "devices must be escaped")?;

        let digits: Vec<&str> = six_digits(&words.text).map(|(_, run)| run).collect();
        match &facts.code {
            Some(code) => {
                let is_once = digits == [code];
                rule(is_once, TEXT, "the code must stand in it once, and no other six digits in a row")?;
            }
            None => rule(digits.is_empty(), TEXT, "six digits in a row are for codes")?,
        }
        if let Some(link) = &facts.link {
            let link_lines = words.text.lines().filter(|line| line == link).count();
            let is_alone = link_lines == 1 && words.text.matches(link).count() == 1;
            rule(is_alone, TEXT, "the link must stand in it once, alone on its line")?;
        }
        if let (Some(code), Some(link)) = (&facts.code, &facts.link) {
            // Tokens are random and may hold six digits: whoever looks for a code must meet the code first.
            rule(words.text.find(code) < words.text.find(link), TEXT, "the code must come before the link")?;
        }
        let is_in_html =
            |fact: &Option<String>| fact.as_ref().is_none_or(|fact| words.html.contains(&HtmlEscape(fact).to_string()));
        rule(is_in_html(&facts.code), HTML, "the code must stand in it")?;
        rule(is_in_html(&facts.link), HTML, "the link must stand in it")?;
        let is_told = facts.to.as_ref().is_none_or(|to| words.text.contains(to)) && is_in_html(&facts.to);
        rule(is_told, TEXT, "both parts must tell the new address")?;
        let is_told =
            facts.device.as_ref().is_none_or(|device| words.text.contains(device)) && is_in_html(&facts.device);
        rule(is_told, TEXT, "both parts must tell the device")?;

        // What may be empty is tried empty as well.
        let bare = Facts { device: facts.device.map(|_| String::new()), ..facts };
        self.words(template, locale, "App", "", &bare).map(drop)
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates")
            .field("known", &self.known)
            .field("fallback", &self.fallback)
            .finish_non_exhaustive()
    }
}

const SUBJECT: &str = "subject";
const TEXT: &str = "txt";
const HTML: &str = "html";

fn part_name(locale: &str, template: Template, part: &str) -> String {
    format!("{locale}/{}.{part}", template.as_str())
}

/// A language tag in lower case; `None` for what can't be one (RFC 5646 §2.1, and no longer than any in use).
fn tag(text: &str) -> Option<String> {
    let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    (text.len() <= 35 && text.split('-').all(is_subtag)).then(|| text.to_ascii_lowercase())
}
