//! The words of each mail, per language, replaceable.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use auth_core::domain::{Content, Mail, Notice};
use auth_core::port::MailError;
use minijinja::{Environment, HtmlEscape, UndefinedBehavior, Value, context};

use crate::plain::{salutation, six_digits};

/// Which mail a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Template {
    /// Prove that you receive mail here: has `code` and `link`.
    Verify,
    /// Set a new password: has `code` and `link`.
    Reset,
    /// Your password was changed by somebody signed in.
    PasswordChanged,
    /// Your password was reset by mail.
    PasswordReset,
}

impl Template {
    /// Every template.
    pub const ALL: &'static [Self] = &[Self::Verify, Self::Reset, Self::PasswordChanged, Self::PasswordReset];

    /// Its name, as in `templates/en/verify.txt`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::PasswordChanged => "password-changed",
            Self::PasswordReset => "password-reset",
        }
    }

    /// What `content` is told with, and the code and link it carries; `None` for what this version doesn't know.
    fn of(content: &Content) -> Option<(Self, Option<Proof>)> {
        match content {
            Content::Verify { code, link } => Some((Self::Verify, Some(Proof::new(code.expose(), link.expose())))),
            Content::Reset { code, link } => Some((Self::Reset, Some(Proof::new(code.expose(), link.expose())))),
            Content::Notice(Notice::PasswordChanged) => Some((Self::PasswordChanged, None)),
            Content::Notice(Notice::PasswordReset) => Some((Self::PasswordReset, None)),
            _ => None,
        }
    }

    const fn has_proof(self) -> bool {
        matches!(self, Self::Verify | Self::Reset)
    }
}

/// What a mail says, as three [minijinja](https://docs.rs/minijinja/latest/minijinja/syntax/) templates.
///
/// They know `app` (what mails call the application), `name` (the reader's, possibly empty), `locale`, and, in
/// [`Verify`](Template::Verify) and [`Reset`](Template::Reset), `code` and `link`; the two bodies also `subject`.
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

/// The code and the link of a mail.
struct Proof {
    code: String,
    link: String,
}

impl Proof {
    fn new(code: String, link: &str) -> Self {
        Self { code, link: link.to_owned() }
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
        Template::PasswordChanged => words!("password-changed", "Your password was changed"),
        Template::PasswordReset => words!("password-reset", "Your password was reset"),
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
        // Later may be better than never: a newer node, or corrected templates, can send it.
        let (template, proof) =
            Template::of(&mail.content).ok_or_else(|| MailError::Transient("there are no words for it".to_owned()))?;
        let locale = self.locale(template, mail.locale.as_deref());
        let name = mail.name.as_deref().and_then(salutation).unwrap_or_default();
        self.words(template, locale, app, &name, proof.as_ref())
            .map_err(|error| MailError::Transient(error.to_string()))
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
        proof: Option<&Proof>,
    ) -> Result<Rendered, InvalidTemplate> {
        let proof = proof.map_or_else(|| context! {}, |Proof { code, link }| context! { code, link });
        let context = context! { app, name, locale, ..proof };
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
        let proof =
            template.has_proof().then(|| Proof::new("271828".to_owned(), "https://app.example/open?token=Ab-_Cd"));
        let words = self.words(template, locale, "App", "<specimen>", proof.as_ref())?;
        let rule = |holds: bool, part: &str, rule: &'static str| {
            if holds { Ok(()) } else { Err(InvalidTemplate::Rule { name: part_name(locale, template, part), rule }) }
        };
        let is_line = !words.subject.is_empty() && !words.subject.contains(char::is_control);
        rule(is_line, SUBJECT, "the subject must be one line")?;
        rule(six_digits(&words.subject).next().is_none(), SUBJECT, "six digits in a row are for the code")?;
        rule(!words.html.contains("<specimen>"), HTML, "names must be escaped")?;
        let digits: Vec<_> = six_digits(&words.text).collect();
        let Some(Proof { code, link }) = proof else {
            return rule(digits.is_empty(), TEXT, "six digits in a row are for codes");
        };
        let is_once = matches!(digits[..], [(_, run)] if run == code);
        rule(is_once, TEXT, "the code must stand in it once, and no other six digits in a row")?;
        let link_lines = words.text.lines().filter(|line| *line == link).count();
        let is_alone = link_lines == 1 && words.text.matches(&link).count() == 1;
        rule(is_alone, TEXT, "the link must stand in it once, alone on its line")?;
        // Tokens are random and may hold six digits: whoever looks for a code must meet the code first.
        rule(words.text.find(&code) < words.text.find(&link), TEXT, "the code must come before the link")?;
        let has_both = words.html.contains(&code) && words.html.contains(&HtmlEscape(&link).to_string());
        rule(has_both, HTML, "the code and the link must stand in it")
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
