//! What operators do from the command line, beside servers that run.

mod audit;
mod import;
mod keys;
mod mail;
mod roles;
mod sessions;
mod users;

use serde_json::Value;

use crate::support::person::Person;
use crate::support::process::Home;

/// Makes an account from the command line.
fn created(home: &Home, person: &Person, roles: &[&str]) -> Value {
    let mut arguments = vec!["--json", "user", "create", &person.email, "--password-stdin"];
    arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
    let output = home.run_with(&arguments, &format!("{}\n", person.password));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
