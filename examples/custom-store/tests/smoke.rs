//! The application from outside: the program itself, asked over HTTP, killed and started again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::{Value, json};

/// The program, at work in a folder of its own.
struct Program {
    process: Child,
    address: String,
}

impl Program {
    fn start(folder: &Path, address: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_custom-store"))
            .current_dir(folder)
            .env("AUTH_LISTEN", address)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect("where it listens").to_owned();
        Self { process, address }
    }

    /// Status and body of the reply.
    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, String) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{token}content-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut connection = TcpStream::connect(&self.address).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        connection.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

/// Killed, so that it has no time to tidy up.
impl Drop for Program {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The code in the first mail that arrives.
fn code(folder: &Path) -> String {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let mut mails = fs::read_dir(folder.join("mail")).unwrap().map(|mail| mail.unwrap().path());
        if let Some(mail) = mails.find(|mail| mail.extension().is_some_and(|end| end == "eml")) {
            let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
            return fs::read_to_string(mail).unwrap().lines().find(is_code).expect("a code").to_owned();
        }
        assert!(Instant::now() < give_up, "no mail");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_account_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "127.0.0.1:0");
    let account = json!({ "email": "ann@example.com", "password": "quietly harvest umbrella" });
    assert_eq!(program.ask("POST", "/v1/auth/register", None, &account).0, 201);
    let proof = json!({ "email": "ann@example.com", "code": code(folder.path()) });
    assert_eq!(program.ask("POST", "/v1/auth/verify/confirm", None, &proof).0, 200);
    let (status, tokens) = program.ask("POST", "/v1/auth/login", None, &account);
    assert_eq!(status, 200);
    let tokens: Value = serde_json::from_str(&tokens).unwrap();
    let token = tokens["accessToken"].as_str();
    assert_eq!(program.ask("GET", "/v1/auth/me", token, &Value::Null).0, 200);
    // Where it was: a token is good at the address that issued it.
    let address = program.address.clone();
    drop(program);

    let program = Program::start(folder.path(), &address);
    let (status, me) = program.ask("GET", "/v1/auth/me", token, &Value::Null);
    assert_eq!(status, 200);
    assert!(me.contains(r#""email":"ann@example.com""#) && me.contains(r#""emailVerified":true"#), "{me}");
    assert_eq!(program.ask("GET", "/account", token, &Value::Null), (200, "You are ann@example.com".to_owned()));
    let refresh = json!({ "refreshToken": tokens["refreshToken"] });
    assert_eq!(program.ask("POST", "/v1/auth/refresh", None, &refresh).0, 200);
    assert_eq!(program.ask("GET", "/account", None, &Value::Null).0, 401);
}
