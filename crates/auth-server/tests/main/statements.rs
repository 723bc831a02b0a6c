//! What a request costs the database, as the database's driver tells it.

use serde_json::json;

use crate::support::client::Call;
use crate::support::database::{Backend, Site, on_each_backend};
use crate::support::person::{Person, Tokens};
use crate::support::process::Server;

on_each_backend!(requests_have_a_budget);

/// An authenticated request is one statement. Whatever changes something is one read, then one transaction: on PostgreSQL
/// and MariaDB that begins with a lock on the user, unless the user is new.
async fn requests_have_a_budget(backend: Backend) {
    let Some(site) = Site::unthrottled(backend).await else { return };
    let site = site.with("AUTH_LOG", "sqlx::query=debug");
    let server = site.home.start().await;
    let client = server.client();
    let person = Person::new();
    let lock = if backend == Backend::Sqlite { &[][..] } else { &["lock auth_users"] };
    // There the role's row has to be locked first if its holders are counted, which are few.
    let look = if backend == Backend::Mariadb { &["select auth_roles"][..] } else { &[] };

    let (statements, _) = cost(&server, person.register(&client), 201).await;
    let of_registering = [
        "insert auth_user_roles",
        // Whether somebody must hold that role, and the user is therefore to be counted.
        "select auth_users",
        "insert auth_one_time_tokens",
        "insert auth_mail_outbox",
        "insert auth_audit_events",
    ];
    assert_eq!(statements, [&["select auth_users", "insert auth_users"], look, &of_registering].concat());

    let (statements, reply) = cost(&server, person.login(&client), 200).await;
    let of_signing_in = ["insert auth_sessions", "insert auth_audit_events"];
    // Without a device token it may be a new device, of which the owner is told unless it is the first.
    assert_eq!(statements, [&["select auth_users", "select auth_audit_events"], lock, &of_signing_in].concat());
    let tokens = Tokens::of(&reply);

    for _ in 0..3 {
        assert_eq!(cost(&server, tokens.me(&client), 200).await.0, ["select auth_sessions"]);
    }

    let (statements, reply) = cost(&server, tokens.refresh(&client), 200).await;
    assert_eq!(statements, [&["select auth_sessions"], lock, &["update auth_sessions"]].concat());
    let tokens = Tokens::of(&reply);

    let sign_out = client.post("/logout", &json!({})).bearer(&tokens.access);
    let of_signing_out = ["update auth_sessions", "insert auth_audit_events"];
    let (statements, _) = cost(&server, sign_out, 204).await;
    assert_eq!(statements, [&["select auth_sessions"], lock, &of_signing_out].concat());

    // Whoever only pretends costs nothing.
    assert_eq!(cost(&server, client.get("/me").bearer("not.a.token"), 401).await.0, [""; 0]);
}

/// The statements that a request caused, and its reply. Transactions' begins and ends aren't counted, and neither is what
/// the server does for itself at the same time: sending mail, cleaning, and looking which signing keys may go.
async fn cost(server: &Server, call: Call, status: u16) -> (Vec<String>, serde_json::Value) {
    let before = server.log().len();
    let reply = call.expect(status).await;
    let log = server.log();
    let statements = log[before..].lines().filter_map(statement);
    let own = |statement: &String| {
        let its_tables = ["update auth_mail_outbox", "select auth_mail_outbox", "auth_leases", "auth_signing_keys"];
        its_tables.iter().any(|table| statement.ends_with(table)) || statement.starts_with("delete")
    };
    (statements.filter(|statement| !own(statement)).collect(), reply)
}

/// Verb and table of the statement that a line of the log tells of.
fn statement(line: &str) -> Option<String> {
    let (_, sql) = line.split_once("db.statement=\"")?;
    let sql = sql.replace("\\n", " ");
    let mut words = sql.split_whitespace();
    // An update may have one inside, which skips what is locked.
    let is_lock =
        sql.trim_start().starts_with("select") && (sql.contains("for no key update") || sql.contains("for update"));
    let verb = if is_lock { "lock" } else { words.clone().next()? };
    // Whoever reads a user reads everybody's epoch with it.
    let table = words.find(|word| word.starts_with("auth_") && !word.starts_with("auth_epoch"))?;
    Some(format!("{verb} {table}"))
}
