//! `user`: accounts.

use std::process::Command;

use serde_json::json;

use super::created;
use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::person::Person;
use crate::support::process::Home;

on_each_backend!(accounts_are_made, users_are_listed, se5_suspension_counts_at_once, mf7_lost_factors_are_dropped);

/// An account from the command line signs in at a server, with the roles that it was given.
async fn accounts_are_made(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let person = Person::new();
    // Before there ever was a server, and while one runs.
    let made = created(&site.home, &person, &["admin", "editor"]);
    assert_eq!(
        (&made["user"]["roles"], &made["user"]["emailVerified"]),
        (&json!(["admin", "editor", "user"]), &json!(true))
    );
    let server = site.home.start().await;
    let tokens = person.sign_in(&server.client()).await;
    assert_eq!(tokens.me(&server.client()).expect(200).await["user"], made["user"]);
    let other = Person::new();
    created(&site.home, &other, &[]);
    other.sign_in(&server.client()).await;

    // A second one of that address, whatever its spelling; a weak password; none at all.
    let create = |email: &str, input: &str| {
        let output = site.home.run_with(&["user", "create", email, "--password-stdin"], input);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(create(&person.email.to_uppercase(), "quietly harvest umbrella").contains("has an account"));
    for weak in ["hunter2hunter2", "tiny", ""] {
        let refusal = create("bob@example.com", weak);
        assert!(refusal.contains("password") && (weak.is_empty() || !refusal.contains(weak)), "{refusal}");
    }
    assert!(site.home.mails().mails().is_empty(), "nobody was sent a mail");
}

/// Wrong usage: what is no address, and a password where everybody sees it.
#[test]
fn passwords_are_never_arguments() {
    let home = Home::new();
    for arguments in [
        &["ann@example.com", "hunter2"][..],
        &["ann@example.com", "--password", "hunter2"],
        &["ann@example.com", "--password-stdin", "--no-password"],
        &["nobody", "--password-stdin"],
        &["ann@example.com", "--password-stdin", "--role", "No Role"],
        &[],
    ] {
        assert_eq!(home.run(&[&["user", "create"], arguments].concat()).status.code(), Some(2), "{arguments:?}");
    }
    assert!(!home.path("portcullis.db").exists());
}

/// At a terminal the password is asked for, twice, and not shown.
#[tokio::test]
async fn terminals_do_not_show_passwords() {
    let home = Home::new();
    let server = home.start().await;
    let person = Person::new();
    let asked = |roles: &str, again: &str| {
        let command = format!("{} user create {} {roles}", env!("CARGO_BIN_EXE_auth-server"), person.email);
        let answers = [("Password for ", person.password.as_str()), ("Once more: ", again)];
        home.at_terminal(&command, &answers)
    };
    let (code, shown) = asked("", "something else entirely");
    assert_eq!(code, Some(1));
    assert!(shown.contains("two different passwords"), "{shown}");
    let (code, shown) = asked("--role admin", &person.password);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("made ann-") && !shown.contains(&person.password), "{shown}");
    person.sign_in(&server.client()).await;

    let nowhere = Command::new("setsid")
        .args(["--wait", env!("CARGO_BIN_EXE_auth-server"), "user", "create", "bob@example.com"])
        .current_dir(home.path(""))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let refusal = String::from_utf8_lossy(&nowhere.stderr);
    assert!(nowhere.status.code() == Some(1) && refusal.contains("--password-stdin"), "{refusal}");
}

/// Without a password, a reset by mail gives one.
#[tokio::test]
async fn accounts_can_wait_for_a_password() {
    let home = Home::new();
    let person = Person::new();
    home.done(&["user", "create", &person.email, "--no-password"]);
    let server = home.start().await;
    let client = server.client();
    person.login(&client).problem(401, "UNAUTHORIZED").await;
    client.post("/password/reset/request", &json!({ "email": person.email })).expect(202).await;
    let code = home.mails().wait_for(&person.email, "reset").await.code();
    let body = json!({ "email": person.email, "code": code, "password": person.password });
    client.post("/password/reset/confirm", &body).expect(204).await;
    person.sign_in(&client).await;
}

/// By page, newest first; for people, and for programs.
async fn users_are_listed(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let people: Vec<Person> = (0..5).map(|_| Person::new()).collect();
    for person in &people {
        site.home.done(&["user", "create", &person.email, "--no-password"]);
    }
    let emails = |arguments: &[&str]| -> (Vec<String>, Option<String>) {
        let page = site.home.json(&[&["user", "list"], arguments].concat());
        let users = page["users"].as_array().unwrap();
        let emails = users.iter().map(|user| user["email"].as_str().unwrap().to_owned());
        (emails.collect(), page["nextCursor"].as_str().map(str::to_owned))
    };
    let newest_first: Vec<String> = people.iter().rev().map(|person| person.email.clone()).collect();
    assert_eq!(emails(&[]), (newest_first.clone(), None));
    let (first, next) = emails(&["--limit", "2"]);
    let (second, last) = emails(&["--limit", "3", "--before", &next.unwrap()]);
    assert_eq!([first, second].concat(), newest_first);
    assert_eq!(emails(&["--before", &last.unwrap()]), (vec![], None));
    let middle = &people[2].email;
    assert_eq!(emails(&["--search", &middle[4..20].to_uppercase()]), (vec![middle.clone()], None));

    let text = site.home.done(&["user", "list", "--limit", "2"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("EMAIL ") && lines[1].starts_with(&newest_first[0]), "{text}");
    assert!(lines.len() == 4 && lines[3].starts_with("more: --before "), "{text}");
    for wrong in [&["--limit", "0"][..], &["--limit", "many"], &["--before", "yesterday"]] {
        assert_eq!(site.home.run(&[&["user", "list"], wrong].concat()).status.code(), Some(2), "{wrong:?}");
    }
}

/// SE5: at a server that runs, a suspended user is out with the next request; reactivated, they have to sign in again.
async fn se5_suspension_counts_at_once(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let server = site.home.start().await;
    let client = server.client();
    let person = Person::registered(&client).await;
    let tokens = person.sign_in(&client).await;
    let id = tokens.me(&client).expect(200).await["user"]["id"].as_str().unwrap().to_owned();
    let shown = site.home.json(&["user", "show", &person.email]);
    assert_eq!((&shown["user"]["id"], shown["sessions"].as_array().unwrap().len()), (&json!(id), 1));
    assert_eq!(shown["sessions"][0]["current"], json!(false));

    assert!(site.home.done(&["user", "suspend", &person.email]).contains("is suspended"));
    tokens.me(&client).problem(401, "UNAUTHORIZED").await;
    tokens.refresh(&client).problem(401, "UNAUTHORIZED").await;
    person.login(&client).problem(401, "UNAUTHORIZED").await;
    assert!(site.home.done(&["user", "show", &id]).contains("no sessions"));
    // Again is fine.
    assert_eq!(site.home.json(&["user", "suspend", &id])["user"]["status"], "suspended");

    assert_eq!(site.home.json(&["user", "reactivate", &id])["user"]["status"], "active");
    tokens.me(&client).problem(401, "UNAUTHORIZED").await;
    person.sign_in(&client).await;

    let nobody = Person::new().email;
    for command in ["show", "suspend", "reactivate", "drop-factors"] {
        assert!(site.home.failed(&["user", command, &nobody]).contains("no such user"), "{command}");
        assert_eq!(site.home.run(&["user", command, "nobody"]).status.code(), Some(2));
    }
}

/// MF7: whoever has lost their second factor is let in by the password again, once an operator has switched it off.
async fn mf7_lost_factors_are_dropped(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let server = site.home.start().await;
    let client = server.client();
    let person = Person::registered(&client).await;
    let tokens = person.sign_in(&client).await;
    client.post("/mfa/email/enable", &json!({})).bearer(&tokens.access).expect(202).await;
    let code = site.home.mails().wait_for(&person.email, "second-factor").await.code();
    client.post("/mfa/email/confirm", &json!({ "code": code })).bearer(&tokens.access).expect(200).await;
    assert_eq!(person.login(&client).expect(200).await["mfaRequired"], true);
    assert!(site.home.done(&["user", "show", &person.email]).contains("email"));

    // Twice is fine.
    for _ in 0..2 {
        let dropped = site.home.json(&["user", "drop-factors", &person.email]);
        assert_eq!(dropped["user"]["mfaEnabled"], false);
    }
    tokens.me(&client).problem(401, "UNAUTHORIZED").await;
    person.sign_in(&client).await;
}
