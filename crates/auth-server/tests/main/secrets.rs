//! What nobody may find who reads logs or databases.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sqlx::{AssertSqlSafe, Row, query};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::support::database::{Backend, Database, PEPPER, Postgres, Site, on_each_backend};
use crate::support::is_by_diesel;
use crate::support::mail::Inbox;
use crate::support::mariadb::Mariadb;
use crate::support::smtp::{Service, Smtp};
use crate::support::whole_life::{Secrets, live};

on_each_backend!(by each library: au2_logs_hold_no_secret, vt4_stores_hold_no_secret);

/// AU2: not at any level, ours and every library's: no password, token, code or link, and no secret of the configuration.
async fn au2_logs_hold_no_secret(backend: Backend) {
    if let Some(site) = Site::unthrottled(backend).await {
        logs_hold_no_secret(site).await;
    }
}

/// AU2: nor those of a framework that logs the address of each request.
#[tokio::test]
async fn au2_rockets_logs_hold_no_secret() {
    let site = Site::unthrottled(Backend::Sqlite).await.unwrap();
    logs_hold_no_secret(site.with("AUTH_WEB", "rocket")).await;
}

async fn logs_hold_no_secret(site: Site) {
    const JWT_SECRET: &str = "canary-jwt-9gq2Vb7xLw4TzKc1RfHs8Y";
    const OLD_PEPPER: &str = "canary-old-5mN3pQ8rSt6UvWx1Yz4Ab2";
    const SMTP_PASS: &str = "canary-smtp-password";
    let smtp = Smtp::new(Service::Up);
    let site = site.with("SMTP_HOST", "127.0.0.1").with("SMTP_PORT", &smtp.port.to_string()).with("SMTP_TLS", "none");
    let site = site.with("SMTP_USER", "canary-user").with("SMTP_PASS", SMTP_PASS).with("MAIL_FROM", "ann@acme.example");
    let site = site
        .with("AUTH_PROFILE", "tokens,sessions")
        .with("AUTH_PEPPER", PEPPER)
        .with("AUTH_PEPPER_OLD", OLD_PEPPER)
        .with("JWT_SECRET", JWT_SECRET);
    let server = site.home.clone().with("AUTH_LOG", "trace").start().await;

    let mut secrets = live(&server.client(), &Inbox::Smtp(smtp)).await;
    secrets.tokens.push(over_http2(server.address).await);

    let log = server.log();
    // It is a log that could have told.
    let by_library = if is_by_diesel() { "auth_http::span" } else { "sqlx::query" };
    for target in [by_library, "h2::"] {
        assert!(log.contains(target), "nothing of {target}: {log}");
    }
    let login = STANDARD.encode(format!("\0canary-user\0{SMTP_PASS}"));
    let mut forbidden = vec![PEPPER.to_owned(), OLD_PEPPER.into(), JWT_SECRET.into(), SMTP_PASS.into(), login];
    forbidden.extend(site.database.password());
    for secret in forbidden.iter().chain(&secrets.passwords).chain(&secrets.tokens) {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{secret} is in the log");
    }
    for code in &secrets.codes {
        let line = log.lines().find(|line| tells(line, code) && !is_part_of_a_number(line, code));
        assert_eq!(line, None, "{code} is in the log");
    }
    assert_eq!(server.output().lines().count(), 1, "{}", server.output());
}

/// Sends a token over HTTP/2, whose library has a log of its own, and returns it.
async fn over_http2(address: SocketAddr) -> String {
    let token = "canary-token-over-http2".to_owned();
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request =
        Request::get(format!("http://{address}/v1/auth/me")).header("authorization", format!("Bearer {token}"));
    let reply = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!(reply.status(), 401);
    token
}

/// VT4, SE1, RR1: what clients and inboxes got isn't in the store, neither as it is nor under the encodings in use.
async fn vt4_stores_hold_no_secret(backend: Backend) {
    let Some(site) = Site::unthrottled(backend).await else { return };
    let site = site.with("AUTH_PROFILE", "tokens,sessions");
    let server = site.home.start().await;
    let secrets = live(&server.client(), &site.home.mails()).await;
    let log = server.log();
    assert!(!log.contains("ERROR") && !log.contains("unavailable"), "requests and mail are in each other's way: {log}");
    match &site.database {
        Database::File => vt4_on_sqlite(&site, &secrets),
        Database::Postgres(database) => vt4_on_a_server(&of_postgres(database).await, &secrets),
        Database::Mariadb(database) => vt4_on_a_server(&of_mariadb(database).await, &secrets),
    }
}

/// In the raw bytes of the files, deleted rows and the write-ahead log included.
fn vt4_on_sqlite(site: &Site, secrets: &Secrets) {
    for file in ["portcullis.db", "portcullis.db-wal"] {
        let bytes = fs::read(site.home.path(file)).unwrap();
        let forbidden = secrets.passwords.iter().chain(&secrets.tokens).map(|secret| secret.clone().into_bytes());
        let forbidden = forbidden.chain(secrets.tokens.iter().filter_map(|token| tail(token))).collect::<Vec<_>>();
        if let Some(secret) = find_any(&bytes, &forbidden) {
            panic!("{:?} is in {file}", String::from_utf8_lossy(secret));
        }
        let text = printable(&bytes);
        for code in &secrets.codes {
            assert!(!tells(&text, code), "{code} is in {file}");
        }
    }
    // What must be there is found: it is the right file, searched in the right way.
    let wal = fs::read(site.home.path("portcullis.db-wal")).unwrap();
    assert!(find_any(&wal, &[b"nowhere in there".to_vec(), b"$argon2id$".to_vec()]).is_some());
    assert!(printable(&wal).contains("session.opened"));
}

/// In every value of every table, bytes as hexadecimal digits, as a dump has them.
fn vt4_on_a_server(dump: &[Value], secrets: &Secrets) {
    assert!(dump.iter().any(|value| value.text.contains("$argon2id$")));
    for Value { column, kind, text } in dump {
        for secret in secrets.passwords.iter().chain(&secrets.tokens) {
            assert!(!text.contains(secret) && !text.contains(&hex(secret.as_bytes())), "{secret} is in {column}");
        }
        for tail in secrets.tokens.iter().filter_map(|token| tail(token)) {
            assert!(!text.contains(&hex(&tail)), "the bytes of a token are in {column}: {text}");
        }
        for code in &secrets.codes {
            // As digits among others a time or an id may well hold them.
            let is_told = match kind.as_str() {
                "bytea" => text.contains(&hex(code.as_bytes())),
                "text" | "character varying" => tells(text, code),
                _ => text.trim_start_matches('0') == code.trim_start_matches('0'),
            };
            assert!(!is_told, "{code} is in {column}: {text}");
        }
    }
}

/// One value of one row.
struct Value {
    column: String,
    kind: String,
    text: String,
}

async fn of_postgres(database: &Postgres) -> Vec<Value> {
    let mut connection = database.connection().await;
    let columns = "select table_name::text, column_name::text, data_type::text
        from information_schema.columns where table_schema = 'public'";
    let mut dump = Vec::new();
    for row in query(columns).fetch_all(&mut connection).await.unwrap() {
        let (table, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let values = format!("select {column}::text from {table} where {column} is not null");
        for row in query(AssertSqlSafe(values)).fetch_all(&mut connection).await.unwrap() {
            dump.push(Value { column: format!("{table}.{column}"), kind: kind.clone(), text: row.get(0) });
        }
    }
    dump
}

/// The same, with the names that PostgreSQL has for the kinds.
async fn of_mariadb(database: &Mariadb) -> Vec<Value> {
    let mut connection = database.connection().await;
    let columns = "select table_name, column_name, cast(data_type as char)
        from information_schema.columns where table_schema = database()";
    let mut dump = Vec::new();
    for row in query(columns).fetch_all(&mut connection).await.unwrap() {
        let (table, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (kind, value) = match kind.as_str() {
            "binary" | "varbinary" | "blob" | "mediumblob" => ("bytea", format!("lower(hex({column}))")),
            "varchar" | "text" => ("text", column.clone()),
            "bigint" => ("bigint", format!("cast({column} as char)")),
            other => panic!("{table}.{column} is {other}"),
        };
        let values = format!("select {value} from {table} where {column} is not null");
        for row in query(AssertSqlSafe(values)).fetch_all(&mut connection).await.unwrap() {
            dump.push(Value { column: format!("{table}.{column}"), kind: kind.to_owned(), text: row.get(0) });
        }
    }
    dump
}

/// What of a token is random or a MAC: the end. What stands before may be an id, which is no secret.
fn tail(token: &str) -> Option<Vec<u8>> {
    let last = token.rsplit('.').next()?;
    let bytes = URL_SAFE_NO_PAD.decode(last).ok()?;
    Some(bytes[bytes.len().checked_sub(32)?..].to_vec())
}

/// Whether `text` tells `code`, other than in a UUID that happens to have those digits.
fn tells(text: &str, code: &str) -> bool {
    let is_in_uuid = |i: usize| {
        (i.saturating_sub(35)..=i).any(|start| {
            text.get(start..start + 36).is_some_and(|piece| piece.contains('-') && Uuid::try_parse(piece).is_ok())
        })
    };
    text.match_indices(code).any(|(i, _)| !is_in_uuid(i))
}

/// Whether `code` occurs in `line` only within longer numbers, such as the fraction of a second.
fn is_part_of_a_number(line: &str, code: &str) -> bool {
    line.match_indices(code).all(|(i, _)| {
        line[..i].ends_with(|c: char| c.is_ascii_digit() || c == '.')
            || line[i + code.len()..].starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The first of `needles` that is in `bytes`, in one pass. Each has eight bytes at least.
fn find_any<'a>(bytes: &[u8], needles: &'a [Vec<u8>]) -> Option<&'a Vec<u8>> {
    let mut by_start = HashMap::<&[u8], Vec<&Vec<u8>>>::new();
    for needle in needles {
        by_start.entry(&needle[..8]).or_default().push(needle);
    }
    let candidates = bytes.windows(8).enumerate().filter_map(|(i, start)| Some((i, by_start.get(start)?)));
    candidates
        .flat_map(|(i, needles)| needles.iter().map(move |needle| (i, needle)))
        .find_map(|(i, needle)| bytes[i..].starts_with(needle).then_some(*needle))
}

/// What of `bytes` can be read, as `strings` shows it: each run of printable ASCII on a line.
fn printable(bytes: &[u8]) -> String {
    let is_printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let runs = bytes.split(|byte| !is_printable(byte)).filter(|run| run.len() >= 6);
    runs.map(|run| std::str::from_utf8(run).unwrap()).collect::<Vec<_>>().join("\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
