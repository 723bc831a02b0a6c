//! The server's configuration: parsed as a whole, every mistake named at once.

mod source;
mod variables;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use auth_core::Signing;
use auth_core::access_token::{Ed25519Key, HmacSecret};
use auth_core::keys::Pepper;
use auth_core::settings::{AccessCheck, Lifetimes, Permissions, Reuse, UnverifiedSignIn};
use auth_http::Origin;
use auth_mail::Sender;
#[cfg(feature = "ses")]
use auth_mail::SesSettings;
#[cfg(feature = "smtp")]
use auth_mail::{SmtpPassword, SmtpSettings, Tls};
use ipnet::IpNet;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use url::Url;
use zeroize::Zeroizing;

use crate::Failure;
pub(crate) use source::Source;

/// What the server runs with.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// Where Prometheus is answered, if it is.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// `None`: the bound address, for loopback only.
    pub(crate) public_url: Option<String>,
    pub(crate) frontend_url: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) database: Database,
    /// `None`: made once, beside the embedded database.
    pub(crate) pepper: Option<Pepper>,
    pub(crate) old_peppers: Vec<Pepper>,
    pub(crate) signing: Signing,
    /// The file that the signing key was read from.
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) mail: Mail,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) reuse: Reuse,
    pub(crate) access_check: AccessCheck,
    pub(crate) unverified_sign_in: UnverifiedSignIn,
    pub(crate) throttle: bool,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) allowed_origins: Vec<Origin>,
    pub(crate) permissions: Permissions,
    pub(crate) log: String,
}

/// Where everything is kept.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// A file of our own.
    Sqlite {
        /// As configured.
        url: String,
        /// The file in it.
        file: PathBuf,
    },
    /// A PostgreSQL server. The address may hold a password.
    #[cfg(feature = "postgres")]
    Postgres(DatabaseUrl),
}

/// Who takes mail, and whom it is from.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) sender: Sender,
    pub(crate) via: Via,
}

/// Who takes mail.
#[derive(Debug, Clone)]
pub(crate) enum Via {
    /// A server that delivers it.
    #[cfg(feature = "smtp")]
    Smtp(SmtpSettings),
    /// Amazon SES.
    #[cfg(feature = "ses")]
    Ses(SesSettings),
    /// This console, a folder, or both: for development.
    Local { console: bool, folder: Option<PathBuf> },
}

/// The address of a database server, password included. Doesn't print, is erased when dropped.
#[cfg(feature = "postgres")]
#[derive(Clone)]
pub(crate) struct DatabaseUrl(Zeroizing<String>);

#[cfg(feature = "postgres")]
impl DatabaseUrl {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "postgres")]
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// Every mistake in the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistakes(pub(crate) Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration can't be used:")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  - {mistake}"))
    }
}

impl std::error::Error for Mistakes {}

impl Config {
    /// Reads `source`.
    ///
    /// # Errors
    /// Every mistake at once: unknown names, values that can't be read, and settings that contradict each other.
    pub(crate) fn parse(source: Source) -> Result<Self, Mistakes> {
        let mut reader = Reader { source, mistakes: Vec::new(), secrets: Vec::new() };
        let config = reader.config();
        let Reader { source, mistakes, .. } = reader;
        let mut all = source.into_mistakes();
        all.extend(mistakes);
        config.filter(|_| all.is_empty()).ok_or(Mistakes(all))
    }

    /// Whether the server runs with defaults that must not face the network.
    pub(crate) const fn is_development(&self) -> bool {
        self.public_url.is_none() || matches!(self.mail.via, Via::Local { .. })
    }
}

/// Whether `text` is a level, or levels by target. A single word that is no level would be taken for a target of that name,
/// and a misspelt level would silence everything.
fn is_filter(text: &str) -> bool {
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    text.parse::<Targets>().is_ok() && text.split(',').all(|part| part.contains('=') || is_level(part))
}

/// An Ed25519 key from a PEM file.
fn read_key(path: &Path) -> Result<Ed25519Key, Failure> {
    let pem = Zeroizing::new(std::fs::read(path)?);
    Ok(Ed25519Key::from_pem(&pem)?)
}

/// Takes values out of the source. A value that can't be read is noted, and its default goes on.
struct Reader {
    source: Source,
    mistakes: Vec<String>,
    /// Secrets seen so far, by name.
    secrets: Vec<(&'static str, Zeroizing<String>)>,
}

impl Reader {
    /// `None` never: it would be a default of ours that can't be read.
    fn config(&mut self) -> Option<Config> {
        self.only("AUTH_PROFILE", &["tokens"]);
        self.only("AUTH_STORE", &["sqlx"]);
        self.only("AUTH_WEB", &["axum"]);
        let loopback = SocketAddr::from(([127, 0, 0, 1], 8080));
        let key_file = self.source.take("JWT_KEY_FILE").map(PathBuf::from);
        let (database, signing, mail) = (self.database(), self.signing(key_file.as_deref()), self.mail());
        let config = Config {
            listen: self.parsed("AUTH_LISTEN", "an address and port such as 127.0.0.1:8080").unwrap_or(loopback),
            metrics_listen: self.parsed("AUTH_METRICS_LISTEN", "an address and port such as 127.0.0.1:9464"),
            public_url: self.url("PUBLIC_URL"),
            frontend_url: self.url("FRONTEND_URL"),
            audience: self.source.take("AUTH_AUDIENCE"),
            database,
            pepper: self.secret("AUTH_PEPPER").and_then(|secret| self.pepper("AUTH_PEPPER", &secret)),
            old_peppers: self.old_peppers(),
            signing,
            key_file,
            mail: mail?,
            lifetimes: self.lifetimes(),
            reuse: self.choice("AUTH_REUSE", &[("refuse", Reuse::Refuse), ("resume", Reuse::Resume)]),
            access_check: self.choice(
                "AUTH_ACCESS_CHECK",
                &[("session", AccessCheck::Session), ("stateless", AccessCheck::Stateless)],
            ),
            unverified_sign_in: self.choice(
                "AUTH_UNVERIFIED_SIGN_IN",
                &[("allow", UnverifiedSignIn::Allow), ("refuse", UnverifiedSignIn::Refuse)],
            ),
            throttle: self.choice("AUTH_THROTTLE", &[("on", true), ("danger_off", false)]),
            trusted_proxies: self.list("AUTH_TRUSTED_PROXIES", "a network such as 10.0.0.0/8", |text| {
                text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
            }),
            allowed_origins: self.list("AUTH_ALLOWED_ORIGINS", "an origin such as https://app.example.com", |text| {
                Origin::parse(text).ok()
            }),
            permissions: self.source.take_permissions(),
            log: self.source.take("AUTH_LOG").unwrap_or_else(|| "info".to_owned()),
        };
        self.check(&config);
        Some(config)
    }

    /// What no single setting shows.
    fn check(&mut self, config: &Config) {
        // A value that is there and no good has been named already.
        if !config.listen.ip().is_loopback() {
            if !self.source.was_given("PUBLIC_URL") {
                self.mistake("AUTH_LISTEN is not loopback: PUBLIC_URL must say where clients reach the server");
            }
            if matches!(config.mail.via, Via::Local { .. }) && !self.source.was_given("SMTP_HOST") {
                self.mistake(
                    "AUTH_LISTEN is not loopback: mail to the console or a folder is for development; \
                     set SMTP_HOST, or AUTH_MAILER=ses",
                );
            }
        }
        #[cfg(feature = "postgres")]
        if matches!(config.database, Database::Postgres(_)) && !self.source.was_given("AUTH_PEPPER") {
            self.mistake("AUTH_PEPPER is required on PostgreSQL, where all nodes must agree on it");
        }
        if self.source.was_given("AUTH_PEPPER_OLD") && !self.source.was_given("AUTH_PEPPER") {
            self.mistake("AUTH_PEPPER_OLD is set without AUTH_PEPPER");
        }
        if config.metrics_listen.is_some_and(|metrics| metrics == config.listen && metrics.port() != 0) {
            self.mistake("AUTH_METRICS_LISTEN and AUTH_LISTEN are the same: metrics are not for the public");
        }
        for network in config.trusted_proxies.iter().filter(|network| network.prefix_len() == 0) {
            self.mistake(format!(
                "AUTH_TRUSTED_PROXIES: {network} would believe everybody; name your proxies' networks"
            ));
        }
        if !is_filter(&config.log) {
            self.mistake("AUTH_LOG is no filter such as info or auth_core=debug,info");
        }
    }

    fn database(&mut self) -> Database {
        const DEFAULT: &str = "sqlite://portcullis.db";
        let url = self.source.take("DATABASE_URL").unwrap_or_else(|| DEFAULT.to_owned());
        match url.split_once(':') {
            Some(("sqlite", rest)) => {
                let rest = rest.strip_prefix("//").unwrap_or(rest);
                let file = PathBuf::from(rest.split('?').next().unwrap_or_default());
                if file.as_os_str().is_empty() || file == Path::new(":memory:") || url.contains("mode=memory") {
                    self.mistake(
                        "DATABASE_URL must name a database file: what is in memory is lost at the first restart",
                    );
                }
                return Database::Sqlite { url, file };
            }
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => return Database::Postgres(DatabaseUrl(Zeroizing::new(url))),
            // The address itself may hold a password, and so may what is none.
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                self.mistake(format!("DATABASE_URL: this build has no storage for {scheme:?}"));
            }
            _ => self.mistake(format!("DATABASE_URL must be an address such as {DEFAULT}")),
        }
        Database::Sqlite { url: DEFAULT.to_owned(), file: PathBuf::from("portcullis.db") }
    }

    fn old_peppers(&mut self) -> Vec<Pepper> {
        const NAME: &str = "AUTH_PEPPER_OLD";
        let list = Zeroizing::new(self.source.take(NAME).unwrap_or_default());
        let secrets = list.split(',').map(str::trim).filter(|text| !text.is_empty());
        let read = |secret| {
            self.check_secret(NAME, secret);
            self.pepper(NAME, secret)
        };
        secrets.filter_map(read).collect()
    }

    fn pepper(&mut self, name: &str, text: &str) -> Option<Pepper> {
        let pepper = Pepper::new(text.as_bytes());
        pepper.map_err(|error| self.mistake(format!("{name}: {error}"))).ok()
    }

    fn signing(&mut self, key_file: Option<&Path>) -> Signing {
        match (self.secret("JWT_SECRET"), key_file) {
            (Some(_), Some(_)) => self.mistake("JWT_SECRET and JWT_KEY_FILE are both set: one key signs"),
            (Some(secret), None) => match HmacSecret::new(secret.as_bytes()) {
                Ok(secret) => return Signing::Secret(secret),
                Err(error) => self.mistake(format!("JWT_SECRET: {error}")),
            },
            (None, Some(file)) => match read_key(file) {
                Ok(key) => return Signing::Own(key),
                Err(error) => self.mistake(format!("JWT_KEY_FILE {}: {error}", file.display())),
            },
            (None, None) => {}
        }
        Signing::Stored
    }

    fn mail(&mut self) -> Option<Mail> {
        let from = self.source.take("MAIL_FROM");
        let folder = self.source.take("MAIL_DIR").map_or_else(|| PathBuf::from("mail"), PathBuf::from);
        let mailer = self.source.take("AUTH_MAILER");
        let is_ses = mailer.as_deref() == Some("ses");
        let (smtp, ses) = (self.smtp(), self.ses(is_ses));
        let has_server = self.source.was_given("SMTP_HOST");
        if (has_server || is_ses) && from.is_none() {
            self.mistake("MAIL_FROM is required with SMTP_HOST, and with AUTH_MAILER=ses");
        }
        let via = match (mailer.as_deref(), smtp) {
            (Some("smtp") | None, Some(smtp)) => smtp,
            (Some("ses"), None) if !has_server => ses.unwrap_or(Via::Local { console: true, folder: None }),
            (None, None) if !has_server => Via::Local { console: true, folder: Some(folder) },
            (Some("console"), None) if !has_server => Via::Local { console: true, folder: None },
            (Some("file"), None) if !has_server => Via::Local { console: false, folder: Some(folder) },
            (mailer, _) => {
                match mailer {
                    // What is wrong with that server has been said.
                    Some("smtp") | None if has_server => {}
                    Some("smtp") => self.mistake("AUTH_MAILER=smtp needs SMTP_HOST"),
                    Some("ses" | "console" | "file") => self.mistake("AUTH_MAILER contradicts SMTP_HOST"),
                    _ => self.mistake("AUTH_MAILER must be smtp, ses, file or console"),
                }
                Via::Local { console: true, folder: None }
            }
        };
        Some(Mail { sender: self.sender(from.as_deref())?, via })
    }

    fn sender(&mut self, from: Option<&str>) -> Option<Sender> {
        let sender = from.map(Sender::parse).transpose();
        let sender = sender.unwrap_or_else(|error| {
            self.mistake(format!("MAIL_FROM: {error}"));
            None
        });
        sender.or_else(|| Sender::parse("Portcullis <portcullis@localhost>").ok())
    }

    #[cfg(feature = "smtp")]
    fn smtp(&mut self) -> Option<Via> {
        let host = self.source.take("SMTP_HOST");
        let port = self.parsed("SMTP_PORT", "a port number");
        let login = (self.source.take("SMTP_USER"), self.secret("SMTP_PASS"));
        let tls = self.source.take("SMTP_TLS");
        let Some(host) = host else {
            if port.is_some() || login.0.is_some() || login.1.is_some() || tls.is_some() {
                self.mistake("SMTP_PORT, SMTP_USER, SMTP_PASS and SMTP_TLS mean nothing without SMTP_HOST");
            }
            return None;
        };
        let tls = match tls.as_deref() {
            Some("starttls") | None => Tls::StartTls,
            Some("tls") => Tls::Tls,
            Some("none") => Tls::None,
            Some(_) => {
                self.mistake("SMTP_TLS must be starttls, tls or none");
                Tls::StartTls
            }
        };
        let smtp = SmtpSettings::new(&host, port.unwrap_or(587), tls);
        let smtp = smtp.map_err(|error| self.mistake(format!("SMTP_HOST: {error}"))).ok();
        let smtp = match login {
            (None, None) => smtp,
            (Some(user), Some(mut password)) => {
                smtp.map(|smtp| smtp.login(user, SmtpPassword::new(std::mem::take(&mut *password))))
            }
            _ => {
                self.mistake("SMTP_USER and SMTP_PASS go together");
                smtp
            }
        };
        smtp.map(Via::Smtp)
    }

    #[cfg(not(feature = "smtp"))]
    fn smtp(&mut self) -> Option<Via> {
        let names = ["SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASS", "SMTP_TLS"];
        let given: Vec<&str> = names.into_iter().filter(|name| self.source.take(name).is_some()).collect();
        if !given.is_empty() {
            self.mistake(format!("{}: this build has no SMTP", given.join(", ")));
        }
        None
    }

    /// SES, where `AUTH_MAILER` names it. Region and credentials are AWS's own business.
    #[cfg(feature = "ses")]
    fn ses(&mut self, is_named: bool) -> Option<Via> {
        let set = self.source.take("SES_CONFIGURATION_SET");
        if !is_named {
            if set.is_some() {
                self.mistake("SES_CONFIGURATION_SET means nothing without AUTH_MAILER=ses");
            }
            return None;
        }
        let settings = set.into_iter().try_fold(SesSettings::new(), SesSettings::configuration_set);
        let settings = settings.map_err(|error| self.mistake(format!("SES_CONFIGURATION_SET: {error}")));
        Some(Via::Ses(settings.unwrap_or_default()))
    }

    #[cfg(not(feature = "ses"))]
    fn ses(&mut self, is_named: bool) -> Option<Via> {
        if self.source.take("SES_CONFIGURATION_SET").is_some() || is_named {
            self.mistake("AUTH_MAILER=ses, SES_CONFIGURATION_SET: this build has no SES");
        }
        None
    }

    fn lifetimes(&mut self) -> Lifetimes {
        let mut lifetimes = Lifetimes::default();
        let fields: [(_, &mut Duration); 5] = [
            ("AUTH_ACCESS_TTL", &mut lifetimes.access),
            ("AUTH_REFRESH_TTL", &mut lifetimes.refresh),
            ("AUTH_SESSION_IDLE", &mut lifetimes.idle),
            ("AUTH_SESSION_MAX", &mut lifetimes.max),
            ("AUTH_REUSE_LEEWAY", &mut lifetimes.reuse_leeway),
        ];
        for (name, field) in fields {
            *field = self.seconds(name).unwrap_or(*field);
        }
        if let Err(mistakes) = lifetimes.check() {
            self.mistakes.extend(mistakes);
        }
        lifetimes
    }

    fn secret(&mut self, name: &'static str) -> Option<Zeroizing<String>> {
        let secret = Zeroizing::new(self.source.take(name)?);
        self.check_secret(name, &secret);
        Some(secret)
    }

    /// Refuses a secret that documentation suggests, or that stands elsewhere too.
    fn check_secret(&mut self, name: &'static str, secret: &str) {
        const PLACEHOLDERS: [&str; 6] =
            ["changeme", "change-me", "change_me", "change this", "your-secret", "placeholder"];
        let lower = Zeroizing::new(secret.to_lowercase());
        if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
            self.mistake(format!("{name} is a placeholder, not a secret"));
        }
        // Who learns one of them must not have learnt the others.
        if let Some((other, _)) = self.secrets.iter().find(|(_, seen)| seen.as_bytes().eq(secret.as_bytes())) {
            self.mistake(if *other == name {
                format!("{name} lists one secret twice")
            } else {
                format!("{name} and {other} are the same secret")
            });
        }
        self.secrets.push((name, Zeroizing::new(secret.to_owned())));
    }

    fn url(&mut self, name: &'static str) -> Option<String> {
        let text = self.source.take(name)?;
        let is_base = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        };
        match Url::parse(&text) {
            Ok(url) if is_base(&url) => Some(text.trim_end_matches('/').to_owned()),
            _ => {
                self.mistake(format!("{name} must be an address such as https://auth.example.com"));
                None
            }
        }
    }

    fn seconds(&mut self, name: &'static str) -> Option<Duration> {
        self.parsed::<u32>(name, "a number of seconds").map(|seconds| Duration::from_secs(seconds.into()))
    }

    fn parsed<T: FromStr>(&mut self, name: &'static str, what: &str) -> Option<T> {
        let value = self.source.take(name)?.parse();
        value.map_err(|_| self.mistake(format!("{name} must be {what}"))).ok()
    }

    /// The first of `choices` is the default.
    fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> T {
        let value = self.source.take(name);
        let chosen = value.as_deref().map(|value| choices.iter().find(|(word, _)| *word == value));
        match chosen {
            Some(Some((_, choice))) => *choice,
            None => choices[0].1,
            Some(None) => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                self.mistake(format!("{name} must be {}", words.join(" or ")));
                choices[0].1
            }
        }
    }

    /// A choice of which this build has only some.
    fn only(&mut self, name: &'static str, built: &[&str]) {
        if let Some(value) = self.source.take(name).filter(|value| !built.contains(&value.as_str())) {
            self.mistake(format!("{name}: this build has no {value:?}, only {}", built.join(", ")));
        }
    }

    fn list<T>(&mut self, name: &'static str, what: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let list = self.source.take(name).unwrap_or_default();
        let mut items = Vec::new();
        for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            match read(text) {
                Some(item) => items.push(item),
                None => self.mistake(format!("{name}: {text:?} is not {what}")),
            }
        }
        items
    }

    fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }
}

#[cfg(test)]
mod tests;
