//! Plays a file `requests.http` against the program that it goes with: the tests of the profiles' examples include this file.
//!
//! Requests are sent in the file's order, with the cookies that replies set, as the clients in editors do. A title ends with
//! the status that is expected: `### Sign in: 200`. A variable whose value stands in angle brackets is what a reader would
//! paste there by then.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

#[path = "../../../axum-sessions/tests/support/application.rs"]
mod application;

use application::Application;

/// Longer than a mail may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends all requests of `file` to `program`. `app` shows the code of a secret in base32, where one is asked for.
pub(crate) fn play(program: &str, file: &str, app: fn(&str) -> String) {
    let application = Application::start(program);
    let (definitions, requests) = file.split_once("\n### ").expect("a title");
    let definitions = definitions.lines().filter_map(|line| line.strip_prefix('@')?.split_once(" = "));
    let mut variables: BTreeMap<_, _> = definitions.collect();
    variables.insert("host", &application.origin);
    let mut client =
        Client { application: &application, app, cookies: BTreeMap::new(), replies: Vec::new(), used: HashSet::new() };
    for request in requests.split("\n### ") {
        let (title, request) = request.split_once('\n').expect("a request below its title");
        let (_, expected) = title.rsplit_once(": ").expect("a status in the title");
        let mut filled = request.to_owned();
        for (name, value) in &variables {
            let name = format!("{{{{{name}}}}}");
            if filled.contains(&name) {
                filled = filled.replace(&name, &client.value(value));
            }
        }
        let (status, body) = client.send(&filled);
        assert_eq!(status, expected, "{title}\n{filled}\n{body}");
    }
}

struct Client<'a> {
    application: &'a Application,
    app: fn(&str) -> String,
    cookies: BTreeMap<String, String>,
    replies: Vec<Value>,
    /// Mails whose codes are used.
    used: HashSet<PathBuf>,
}

impl Client<'_> {
    /// What is meant by `<code of the mail verify>`, `<code of the app>` or `<user.id of the reply>`; else the value itself.
    fn value(&mut self, value: &str) -> String {
        let Some(meant) = value.strip_prefix('<').and_then(|value| value.strip_suffix('>')) else {
            return value.to_owned();
        };
        match meant.split_once(" of the ").expect("what of what") {
            ("code", "app") => (self.app)(&self.said("secret")),
            ("code", mail) => self.mailed(mail.strip_prefix("mail ").expect("a mail")),
            (field, _) => self.said(field),
        }
    }

    /// The field of the newest reply that has it.
    fn said(&self, field: &str) -> String {
        let pointer = format!("/{}", field.replace('.', "/"));
        let said = self.replies.iter().rev().find_map(|reply| reply.pointer(&pointer)?.as_str());
        said.unwrap_or_else(|| panic!("no reply has {field}")).to_owned()
    }

    /// The code of a mail of that kind, once for each mail.
    fn mailed(&mut self, kind: &str) -> String {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            for entry in fs::read_dir(self.application.mails()).into_iter().flatten() {
                let path = entry.unwrap().path();
                // What is still being written has another name.
                if path.extension().is_none_or(|extension| extension != "eml") || self.used.contains(&path) {
                    continue;
                }
                let mail = fs::read_to_string(&path).unwrap();
                if mail.lines().any(|line| line == format!("X-Auth-Mail: {kind}")) {
                    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
                    self.used.insert(path);
                    return mail.lines().find(is_code).expect("a code").to_owned();
                }
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("no mail {kind}");
    }

    /// Status and body of the reply.
    fn send(&mut self, request: &str) -> (String, String) {
        let request = request.lines().skip_while(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n");
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        let (line, headers) = head.trim_end().split_once('\n').unwrap_or((head.trim_end(), ""));
        let (method, url) = line.split_once(' ').expect("a method and where it goes");
        let path = url.strip_prefix(&self.application.origin).expect("a URL of the application");
        let address = self.application.origin.strip_prefix("http://").unwrap();
        let body = body.trim_end();
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut lines = vec![format!("{method} {path} HTTP/1.0"), format!("Host: {address}")];
        lines.extend([format!("Content-Length: {}", body.len()), format!("Cookie: {}", cookies.join("; "))]);
        lines.extend(headers.lines().map(str::to_owned));

        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(format!("{}\r\n\r\n{body}", lines.join("\r\n")).as_bytes()).unwrap();
        let mut reply = String::new();
        connection.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").expect("a reply");
        for cookie in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, rest) = cookie.split_once('=').unwrap();
            match rest.split(';').next().unwrap() {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        self.replies.extend(serde_json::from_str::<Value>(body).ok());
        (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
    }
}
