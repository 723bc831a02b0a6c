//! Where settings come from: environment, `.env`, TOML file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use auth_core::domain::Role;
use auth_core::settings::Permissions;

use super::variables::VARIABLES;

/// The settings that were given, by name, before anybody has looked at their values.
///
/// The environment wins over `.env`, which wins over the TOML file. An empty value counts as not given. The TOML file has
/// the variables' names as keys, in either case, lists instead of commas where that reads better, and a table of
/// permissions, which has no variable.
#[derive(Default)]
pub(crate) struct Source {
    values: BTreeMap<&'static str, String>,
    permissions: Permissions,
    given: BTreeSet<&'static str>,
    mistakes: Vec<String>,
}

impl Source {
    /// Reads the process's environment, `.env` in the current folder, and the TOML file if one is named.
    pub(crate) fn read(toml: Option<&Path>) -> Self {
        let mut source = Self::default();
        source.add_environment(std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value.into_string()))
        }));
        // By its path: by its name alone it would be looked for in every folder above, too.
        match dotenvy::from_path_iter(".env") {
            Ok(lines) => source.add_dotenv(lines),
            Err(error) if error.not_found() => {}
            Err(error) => source.mistakes.push(format!(".env can't be read: {error}")),
        }
        if let Some(path) = toml {
            match std::fs::read_to_string(path) {
                Ok(text) => source.add_toml(&text, &path.display().to_string()),
                Err(error) => source.mistakes.push(format!("{} can't be read: {error}", path.display())),
            }
        }
        source
    }

    /// Without what would make the server face the network: its public address, what
    /// cookies need it for, and whoever delivers mail.
    pub(crate) fn for_development(mut self) -> Self {
        const PRODUCTION: [&str; 9] = [
            "PUBLIC_URL",
            "COOKIE_DOMAIN",
            "AUTH_MAILER",
            "SMTP_HOST",
            "SMTP_PORT",
            "SMTP_USER",
            "SMTP_PASS",
            "SMTP_TLS",
            "SES_CONFIGURATION_SET",
        ];
        // Names that browsers take under https only.
        let is_for_https = |name: &str, value: &str| name.ends_with("_COOKIE_NAME") && value.starts_with("__");
        self.values.retain(|name, value| !PRODUCTION.contains(name) && !is_for_https(name, value));
        let values = &self.values;
        self.given.retain(|name| values.contains_key(name));
        self
    }

    /// The value of a variable that [`VARIABLES`] lists.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<String> {
        debug_assert!(VARIABLES.contains(&name), "{name} is not listed");
        self.values.remove(name)
    }

    /// The permissions of the TOML file.
    pub(crate) fn take_permissions(&mut self) -> Permissions {
        std::mem::take(&mut self.permissions)
    }

    /// Whether there was a value, also if it has been taken, and also if it was no good.
    pub(crate) fn was_given(&self, name: &'static str) -> bool {
        self.given.contains(name)
    }

    /// What was wrong with the sources themselves.
    pub(crate) fn into_mistakes(self) -> Vec<String> {
        self.mistakes
    }

    pub(crate) fn add_environment<V>(&mut self, variables: impl Iterator<Item = (String, Result<String, V>)>) {
        for (name, value) in variables {
            // Kubernetes makes these up for a service that is called `auth`.
            let is_injected = name.starts_with("AUTH_SERVICE_") || name.starts_with("AUTH_PORT");
            let is_known = self.add(&name, value.map_err(|_| "is not valid UTF-8"), "the environment");
            if !is_known && name.starts_with("AUTH_") && !is_injected {
                self.unknown(&name, "the environment");
            }
        }
    }

    fn add_dotenv(&mut self, lines: impl Iterator<Item = Result<(String, String), dotenvy::Error>>) {
        for line in lines {
            match line {
                Ok((name, value)) => {
                    if !self.add(&name, Ok(value), ".env") && name.starts_with("AUTH_") {
                        self.unknown(&name, ".env");
                    }
                }
                // The error's own text quotes the line, which may hold a secret.
                Err(_) => self.mistakes.push(".env has a line that can't be read".to_owned()),
            }
        }
    }

    pub(crate) fn add_toml(&mut self, text: &str, file: &str) {
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            // Its message quotes the text; the position is enough.
            Err(error) => {
                let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
                return self.mistakes.push(format!("{file} is not valid TOML (line {line})"));
            }
        };
        let mut names = BTreeSet::new();
        for (key, value) in table {
            if let ("permissions", toml::Value::Table(permissions)) = (key.as_str(), &value) {
                self.add_permissions("", permissions, file);
                continue;
            }
            let name = key.to_ascii_uppercase();
            let value = plain(&value).ok_or("must be a text, a number or a list of texts");
            if !self.add(&name, value, file) {
                self.unknown(&key, file);
            } else if !names.insert(name) {
                self.mistakes.push(format!("{key} in {file} stands there twice, in another case"));
            }
        }
    }

    /// Reads `"posts.write" = ["editor"]`. Without the quotes, TOML makes a table `posts` of it, which means the same.
    fn add_permissions(&mut self, prefix: &str, table: &toml::Table, file: &str) {
        for (key, value) in table {
            let name = format!("{prefix}{key}");
            match value {
                toml::Value::Table(inner) => self.add_permissions(&format!("{name}."), inner, file),
                toml::Value::Array(roles) => {
                    let roles: Option<Vec<Role>> = roles.iter().map(|role| Role::parse(role.as_str()?)).collect();
                    match roles {
                        Some(roles) => self.permissions.allow(name, roles),
                        None => self.mistakes.push(format!("permissions in {file}: {name:?} lists what is no role")),
                    }
                }
                _ => self.mistakes.push(format!("permissions in {file}: {name:?} must be a list of roles")),
            }
        }
    }

    /// Takes a value in, or notes what is wrong with it; `false` where the name is unknown.
    fn add(&mut self, name: &str, value: Result<String, &str>, place: &str) -> bool {
        if value.as_ref().is_ok_and(String::is_empty) {
            return true;
        }
        if let Some(name) = VARIABLES.iter().find(|known| **known == name) {
            match value {
                Ok(value) => {
                    self.values.entry(name).or_insert(value);
                    self.given.insert(name);
                }
                Err(wrong) => self.mistakes.push(format!("{name} in {place} {wrong}")),
            }
        } else {
            return false;
        }
        true
    }

    fn unknown(&mut self, name: &str, place: &str) {
        self.mistakes.push(format!("{name} in {place} is no setting of this server"));
    }
}

/// Shows names only: among the values are secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("given", &self.given).finish_non_exhaustive()
    }
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}
