//! One line: an account as a JSON object.

use std::fmt::Display;

use auth_core::domain::{Attributes, Email, PasswordHash, Profile, Role, Timestamp, escape, profile};
use auth_core::flow::import::Imported;
use serde_json::{Map, Value};

/// The account that a line describes, or all that is wrong with it.
///
/// No message repeats a value: by a slip, any may be the password's hash. A field that isn't known is a mistake, since a hash
/// under a misspelt name would be lost.
pub(super) fn read(line: &[u8], now: Timestamp) -> Result<Imported, String> {
    let object = serde_json::from_slice(line).map_err(|error| format!("is no JSON object (column {})", error.column()));
    let mut fields = Fields { object: object?, wrong: Vec::new() };
    if fields.object.get("email").is_none_or(Value::is_null) {
        fields.wrong.push("email: is missing".to_owned());
    }
    let email = fields.text("email", Email::parse);
    let password = fields.text("passwordHash", PasswordHash::import);
    let is_verified = fields.value("emailVerified", "must be true or false", Value::as_bool);
    let name = fields.text("name", profile::name);
    let locale = fields.text("locale", profile::locale);
    let roles = fields.value("roles", "must be a list of names, each of 1 to 64 of a-z, 0-9, - and _", roles);
    let attributes = fields.value("attributes", "must be an object of at most 16 KiB, without NUL", attributes);
    let created_at = fields.value("createdAt", "must be a time past, such as 2026-03-01T12:00:00Z", |value| {
        Timestamp::parse_rfc3339(value.as_str()?).filter(|at| *at <= now)
    });
    let wrong = fields.wrong();
    match email {
        Some(email) if wrong.is_empty() => Ok(Imported {
            email,
            password,
            is_verified: is_verified.unwrap_or_default(),
            profile: Profile { name, locale, ..Profile::default() },
            roles: roles.unwrap_or_default(),
            attributes: attributes.unwrap_or_default(),
            created_at,
        }),
        _ => Err(wrong.join("; ")),
    }
}

fn roles(value: &Value) -> Option<Vec<Role>> {
    value.as_array()?.iter().map(|role| Role::parse(role.as_str()?)).collect()
}

fn attributes(value: &Value) -> Option<Attributes> {
    Attributes::from_text(&value.to_string()).ok()
}

/// What is left of an object, and what was wrong with what was read.
struct Fields {
    object: Map<String, Value>,
    wrong: Vec<String>,
}

impl Fields {
    /// A field that `read` understands; `None` where it isn't there, null, or wrong.
    fn value<T>(&mut self, name: &str, must: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.object.remove(name).filter(|value| !value.is_null())?;
        let read = read(&value);
        if read.is_none() {
            self.wrong.push(format!("{name}: {must}"));
        }
        read
    }

    fn text<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        match self.value(name, "must be a text", |value| value.as_str().map(parse))? {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.wrong.push(format!("{name}: {error}"));
                None
            }
        }
    }

    /// What was wrong, fields that nobody asked for included.
    fn wrong(mut self) -> Vec<String> {
        self.wrong.extend(self.object.keys().map(|name| format!("{}: is no field of an account", escape(name, 64))));
        self.wrong
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_772_323_200);
    const HASH: &str = "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq";

    fn refusal(line: &str) -> String {
        read(line.as_bytes(), NOW).map(|account| account.email).expect_err(line)
    }

    #[test]
    fn a_line_is_an_account() {
        let account = read(br#"{"email":"Ann@Example.com"}"#, NOW).unwrap();
        assert_eq!((account.email.as_str(), account.is_verified, account.created_at), ("Ann@example.com", false, None));
        assert!(account.password.is_none() && account.roles.is_empty() && account.profile == Profile::default());

        let line = format!(
            r#" {{"passwordHash":"{HASH}","emailVerified":true,"name":" Ann ","locale":"de","roles":["admin"],
            "attributes":{{"plan":"pro"}},"createdAt":"2020-01-01T01:00:00+01:00","email":"ann@example.com"}} "#
        );
        let account = read(line.as_bytes(), NOW).unwrap();
        assert_eq!(account.password.unwrap().as_str(), HASH);
        assert_eq!(account.profile.name.as_deref(), Some("Ann"));
        assert_eq!(account.profile.locale.as_deref(), Some("de"));
        assert_eq!(account.roles, [Role::parse("admin").unwrap()]);
        assert_eq!(account.attributes.get::<String>("plan").unwrap().as_deref(), Some("pro"));
        assert_eq!(account.created_at.map(Timestamp::as_seconds), Some(1_577_836_800));
        assert!(account.is_verified);

        // As good as not there.
        let line = r#"{"email":"a@example.com","passwordHash":null,"name":null,"emailVerified":null,"roles":null}"#;
        assert!(read(line.as_bytes(), NOW).unwrap().password.is_none());
    }

    #[test]
    fn a_refusal_names_each_field() {
        assert_eq!(refusal("{}"), "email: is missing");
        assert_eq!(refusal(r#"{"email":"ann"}"#).split(':').next(), Some("email"));
        assert_eq!(refusal(r#"{"email":["ann@example.com"]}"#), "email: must be a text");
        let wrong = refusal(
            r#"{"email":"a@example.com","emailVerified":"yes","name":"\u0000","locale":"de_DE","roles":["Admin"],
            "attributes":[],"createdAt":"2027-01-01T00:00:00Z","password_hash":"x"}"#,
        );
        let named: Vec<&str> = wrong.split("; ").map(|why| why.split(':').next().unwrap()).collect();
        assert_eq!(
            named,
            ["emailVerified", "name", "locale", "roles", "attributes", "createdAt", "password_hash"],
            "{wrong}"
        );
        for text in ["", "null", "[]", "\"ann@example.com\"", "{\"email\":", "{} {}", "{'email': 1}", "ann@example.com"]
        {
            assert!(refusal(text).contains("JSON object"), "{text}");
        }
        assert!(refusal(r#"{"email":"a@example.com","passwordHash":"hunter2"}"#).contains("unknown kind"));
        assert!(
            refusal(r#"{"email":"a@example.com","passwordHash":"$2b$31$abc"}"#).contains("passwordHash: malformed")
        );
        assert!(refusal("{\"email\":\"a@example.com\",\"\\u001b[2J\":1}").starts_with("\\u{1b}[2J"));
    }

    proptest! {
        // AU2: no value is repeated, in whatever field it is by a slip. PW9: nothing panics.
        #[test]
        fn au2_a_refusal_repeats_no_value(field in "email|passwordHash|emailVerified|name|roles|attributes|createdAt|locale|x", nested in 0..3) {
            let value = match nested { 0 => serde_json::json!(HASH), 1 => serde_json::json!([HASH]), _ => serde_json::json!({ HASH: HASH }) };
            let line = serde_json::json!({ "email": "a@example.com", field: value }).to_string();
            for cut in 0..=line.len() {
                if let Err(why) = read(&line.as_bytes()[..cut], NOW) {
                    prop_assert!(!why.contains("BCrypt") && !why.contains("VlQH"), "{why}");
                }
            }
        }

        #[test]
        fn any_bytes(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&line, NOW);
        }
    }
}
