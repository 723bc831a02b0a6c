//! `user import`: accounts from elsewhere.

use std::fs;

use serde_json::{Value, json};

use super::created;
use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::person::Person;
use crate::support::process::Home;

on_each_backend!(
    pw3_imported_users_sign_in,
    a_bad_line_keeps_no_other_back,
    importing_again_changes_nothing,
    a_dry_run_changes_nothing,
);

/// Of "rasmuslerdorf", as PHP makes it.
const BCRYPT: &str = "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq";
/// Of "lètmein", as Django does.
const DJANGO: &str = "pbkdf2_sha256$30000$seasalt2$a75qzbogeVhNFeMqhdgyyoqGKpIzYUo651sq57RERew=";

/// Exit code, standard output and standard error.
fn import(home: &Home, arguments: &[&str], lines: &str) -> (i32, String, String) {
    let output = home.run_with(&[&["user", "import"], arguments].concat(), lines);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn lines(accounts: impl IntoIterator<Item = Value>) -> String {
    accounts.into_iter().map(|account| format!("{account}\n")).collect()
}

/// `n` accounts without a password.
fn accounts(n: usize) -> Vec<Value> {
    (0..n).map(|i| json!({ "email": format!("user-{i:04}@example.com") })).collect()
}

fn count(home: &Home) -> usize {
    let page = home.json(&["user", "list", "--search", "user-", "--limit", "10000"]);
    page["users"].as_array().unwrap().len()
}

/// PW3: imported users sign in with the passwords they have, at a server that was running meanwhile; those without one set
/// theirs by mail.
async fn pw3_imported_users_sign_in(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let server = site.home.start().await;
    let client = server.client();
    let [ann, bob, eve] = [Person::new(), Person::new(), Person::new()];
    let (ann, bob) = (ann.with_password("rasmuslerdorf"), bob.with_password("l\u{e8}tmein"));
    let file = lines([
        json!({
            "email": ann.email, "passwordHash": BCRYPT, "emailVerified": true, "name": "Ann", "locale": "de",
            "roles": ["editor"], "attributes": { "plan": "pro" }, "createdAt": "2020-02-03T04:05:06Z",
        }),
        json!({ "email": bob.email, "passwordHash": DJANGO }),
        json!({ "email": eve.email }),
    ]);
    fs::write(site.home.path("users.jsonl"), &file).unwrap();
    assert_eq!(site.home.done(&["user", "import", "users.jsonl"]), "imported: 3, there already: 0, refused: 0\n");

    for person in [&ann, &bob] {
        person.with_password("rasmuslerdorg").login(&client).problem(401, "UNAUTHORIZED").await;
        // The second time with a hash of ours.
        person.sign_in(&client).await;
        person.sign_in(&client).await;
    }
    eve.login(&client).problem(401, "UNAUTHORIZED").await;

    let user = &site.home.json(&["user", "show", &ann.email])["user"];
    let found = [&user["name"], &user["locale"], &user["roles"], &user["createdAt"], &user["emailVerified"]];
    let expected = json!(["Ann", "de", ["editor", "user"], "2020-02-03T04:05:06Z", true]);
    assert_eq!(json!(found), expected);
    assert_eq!(site.home.json(&["user", "show", &eve.email])["user"]["emailVerified"], json!(false));
    let events = site.home.json(&["audit", "list", "--kind", "user.imported"]);
    assert_eq!(events["events"].as_array().unwrap().len(), 3, "{events}");

    client.post("/password/reset/request", &json!({ "email": eve.email })).expect(202).await;
    let token = site.home.mails().wait_for(&eve.email, "reset").await.token();
    let reset = json!({ "token": token, "password": eve.password });
    client.post("/password/reset/confirm", &reset).expect(204).await;
    eve.sign_in(&client).await;
}

/// Lines that are no accounts, on both sides of a commit's border, and an address that is taken: all others are imported.
async fn a_bad_line_keeps_no_other_back(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    let taken = Person::new();
    created(&site.home, &taken, &[]);
    let mut file: Vec<String> = accounts(450).iter().map(Value::to_string).collect();
    file[2] = format!(r#"{{"email":"bad@example.com","passwordHash":"{}"}}"#, BCRYPT.replace("$07$", "$31$"));
    file[100] = json!({ "email": taken.email.to_uppercase(), "passwordHash": BCRYPT }).to_string();
    file[150] = json!({ "email": "USER-0149@example.com" }).to_string();
    file[199] = "{".to_owned();
    file[200] = format!(r#"{{"email":"{}"}}"#, "x".repeat(100_000));
    file[300] = " ".to_owned();
    file[449] = json!({ "email": "user-0449@example.com", "passwordHash": BCRYPT, "password": "hunter2" }).to_string();
    // Without a line break at its end; with the mark that some editors put first.
    let file = format!("\u{feff}{}", file.join("\r\n"));

    let (code, out, err) = import(&site.home, &["--json", "-", "--report", "report.txt"], &file);
    let counts = json!({ "imported": 443, "present": 2, "refused": 4, "dryRun": false });
    assert_eq!((code, serde_json::from_str(&out).unwrap()), (1, counts), "{err}");
    assert_eq!(err, "auth-server: 4 lines were refused\n");
    assert_eq!(count(&site.home), 443);
    let report = fs::read_to_string(site.home.path("report.txt")).unwrap();
    let notes: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<_> =
        notes.iter().map(|note| (note["line"].as_u64().unwrap(), note["outcome"].as_str().unwrap())).collect();
    let expected =
        [(3, "refused"), (101, "present"), (151, "present"), (200, "refused"), (201, "refused"), (450, "refused")];
    assert_eq!(found, expected, "{report}");
    assert!(notes[0]["reason"].as_str().unwrap().starts_with("passwordHash: it costs too much"), "{report}");
    // AU2
    assert!(!report.contains("BCrypt") && !report.contains("hunter2"), "{report}");
    // Whoever had the address keeps their password.
    let server = site.home.start().await;
    taken.sign_in(&server.client()).await;
    taken.with_password("rasmuslerdorf").login(&server.client()).problem(401, "UNAUTHORIZED").await;

    // On standard error, for people; and never over a file.
    let (code, out, err) = import(&site.home, &["-"], "{}\n");
    assert_eq!((code, &*out), (1, "imported: 0, there already: 0, refused: 1\n"));
    assert_eq!(err, "line 1: refused: email: is missing\nauth-server: 1 line was refused\n");
    let (code, _, err) = import(&site.home, &["-", "--report", "report.txt"], &lines(accounts(1)));
    assert!(code == 1 && err.contains("report.txt: File exists"), "{err}");
    assert_eq!(fs::read_to_string(site.home.path("report.txt")).unwrap(), report);
}

/// The same file again, and one that was imported in part.
async fn importing_again_changes_nothing(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    assert_eq!(import(&site.home, &["-"], &lines(accounts(250))).0, 0);
    let before = site.home.json(&["user", "list", "--limit", "1000"]);

    let (code, out, err) = import(&site.home, &["-"], &lines(accounts(250)));
    assert_eq!((code, &*out, &*err), (0, "imported: 0, there already: 250, refused: 0\n", ""));
    assert_eq!(site.home.json(&["user", "list", "--limit", "1000"]), before);

    let (code, out, _) = import(&site.home, &["-"], &lines(accounts(600)));
    assert_eq!((code, &*out), (0, "imported: 350, there already: 250, refused: 0\n"));
    assert_eq!(count(&site.home), 600);
}

async fn a_dry_run_changes_nothing(backend: Backend) {
    let Some(site) = Site::on(backend).await else { return };
    import(&site.home, &["-"], &lines(accounts(1)));
    let mut file = accounts(300);
    file.extend([json!({}), json!({ "email": "user-0299@EXAMPLE.com" })]);
    let (code, out, err) = import(&site.home, &["-", "--dry-run"], &lines(file.clone()));
    assert_eq!((code, &*out), (1, "would be imported: 299, there already: 2, refused: 1\n"), "{err}");
    assert_eq!(count(&site.home), 1);
    // As it then comes out.
    let (_, out, _) = import(&site.home, &["-"], &lines(file));
    assert_eq!(out, "imported: 299, there already: 2, refused: 1\n");
}

#[test]
fn a_file_that_is_not_there_makes_no_database() {
    let home = Home::new();
    assert!(home.failed(&["user", "import", "users.jsonl"]).contains("users.jsonl: No such file"));
    fs::create_dir(home.path("folder")).unwrap();
    fs::write(home.path("report.txt"), "mine").unwrap();
    home.failed(&["user", "import", "-", "--report", "report.txt"]);
    assert_eq!(home.run(&["user", "import"]).status.code(), Some(2));
    assert!(!home.path("portcullis.db").exists());
    assert!(home.failed(&["user", "import", "folder"]).contains("folder: Is a directory"));
}

/// Progress is for those who look: at a terminal, and not in a log.
#[test]
fn a_terminal_shows_progress() {
    let home = Home::new().with("TERM", "xterm");
    fs::write(home.path("users.jsonl"), lines(accounts(400))).unwrap();
    let (code, shown) =
        home.at_terminal(&format!("{} user import users.jsonl", env!("CARGO_BIN_EXE_auth-server")), &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("200 imported, 0 there already") && shown.contains(" to go"), "{shown}");
    assert!(shown.contains("imported: 400, there already: 0"), "{shown}");
    let output = home.run(&["user", "import", "users.jsonl"]);
    assert_eq!(output.stderr, b"");
}
