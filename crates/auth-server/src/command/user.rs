//! `user`: accounts, one at a time.

use std::io::Read;

use auth_core::Auth;
use auth_core::domain::{Email, Password, Role, User};
use auth_core::flow::users::{self, NewUser};
use auth_core::flow::{Actor, factors};
use auth_core::port::UserQuery;
use auth_http::reply;
use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::account::{self, Account};
use super::output::Format;
use super::page::{self, Page};
use super::table::Table;
use super::{context, core, user_import};
use crate::Failure;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an account whose address counts as proved. The password is asked for, without echo.
    Create(Create),
    /// List users, newest first.
    List {
        /// Only those whose address contains this.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        page: Page<auth_core::domain::UserId>,
    },
    /// Show a user and their sessions.
    Show {
        /// Their address or id.
        user: Account,
    },
    /// Keep a user out from their next request on, and end their sessions.
    Suspend {
        /// Their address or id.
        user: Account,
    },
    /// Let a suspended user in again. Their earlier sessions stay ended.
    Reactivate {
        /// Their address or id.
        user: Account,
    },
    /// Switch a user's second factors off, for who has lost them, and end their sessions. They are told by mail. Find out first
    /// that it is them who asks.
    DropFactors {
        /// Their address or id.
        user: Account,
    },
    /// Make accounts of a file with one JSON object a line, passwords included: bcrypt, scrypt, PBKDF2 or Argon2 hashes.
    Import(user_import::Import),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The address that they sign in with.
    #[arg(value_parser = account::email)]
    email: Email,
    /// A role that they hold beside `user`, such as admin; may be given several times.
    #[arg(long = "role", value_name = "ROLE", value_parser = account::role)]
    roles: Vec<Role>,
    /// Read the password from standard input: its first line.
    #[arg(long)]
    password_stdin: bool,
    /// Set no password: they ask for a reset by mail.
    #[arg(long, conflicts_with = "password_stdin")]
    no_password: bool,
}

pub(crate) async fn run(config: Config, command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Create(arguments) => create(config, arguments, format).await,
        Command::List { search, page } => list(&*core(config).await?, search, page, format).await,
        Command::Show { user } => show(&*core(config).await?, &user, format).await,
        Command::Suspend { user } => {
            let auth = core(config).await?;
            let user = user.user(&auth, &context()).await?;
            users::suspend(&auth, Actor::Operator, user.id, &context()).await?;
            changed(&auth, &user, "suspended", format).await
        }
        Command::Reactivate { user } => {
            let auth = core(config).await?;
            let user = user.user(&auth, &context()).await?;
            users::reactivate(&auth, Actor::Operator, user.id, &context()).await?;
            changed(&auth, &user, "active", format).await
        }
        Command::DropFactors { user } => {
            let auth = core(config).await?;
            let user = user.user(&auth, &context()).await?;
            factors::drop_all(&auth, Actor::Operator, user.id, &context()).await?;
            changed(&auth, &user, "without second factors", format).await
        }
        Command::Import(arguments) => user_import::run(config, arguments, format).await,
    }
}

async fn create(config: Config, arguments: Create, format: Format) -> Result<(), Failure> {
    let Create { email, roles, password_stdin, no_password } = arguments;
    // Before the store is opened: whoever is asked may take their time.
    let password = match (no_password, password_stdin) {
        (true, _) => None,
        (false, true) => Some(read_password()?),
        (false, false) => Some(ask_password(&email)?),
    };
    let password = password.map(|mut text| Password::parse(std::mem::take(&mut *text))).transpose()?;
    let auth = core(config).await?;
    let user = users::create(&auth, Actor::Operator, NewUser { email, password, roles }, &context()).await?;
    print(&user, &format!("made {} ({})", user.email, user.id), format);
    Ok(())
}

/// The first line of standard input.
fn read_password() -> Result<Zeroizing<String>, Failure> {
    /// More than any password that is taken.
    const MAX: u64 = 64 * 1024;
    let mut text = Zeroizing::new(String::with_capacity(4096));
    std::io::stdin().lock().take(MAX).read_to_string(&mut text)?;
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    text.truncate(end);
    Ok(text)
}

/// What somebody types twice at the terminal, which doesn't show it.
fn ask_password(email: &Email) -> Result<Zeroizing<String>, Failure> {
    let ask = |prompt: String| {
        let typed = rpassword::prompt_password(prompt);
        let hint = "the password can't be asked for here; use --password-stdin, or --no-password";
        typed.map(Zeroizing::new).map_err(|error| format!("{hint}: {error}"))
    };
    let password = ask(format!("Password for {email}: "))?;
    if *ask("Once more: ".into())? == *password {
        Ok(password)
    } else {
        Err("these were two different passwords".into())
    }
}

async fn list(
    auth: &Auth,
    search: Option<String>,
    page: Page<auth_core::domain::UserId>,
    format: Format,
) -> Result<(), Failure> {
    let search = search.map(|text| text.to_lowercase());
    let query = UserQuery { search, before: page.before, limit: page.limit };
    let users = users::list(auth, Actor::Operator, &query, &context()).await?;
    let next = page::next(page.limit, users.len(), users.last().map(|user| user.id.to_string()));
    let all = users.iter().map(|user| json!(reply::User::from(user))).collect::<Vec<_>>();
    format.print(&page::to_json("users", &all, next.as_deref()), || {
        let head = Table::new(["EMAIL", "VERIFIED", "STATUS", "ROLES", "CREATED", "ID"]);
        let table = users.iter().fold(head, |table, user| {
            let verified = if user.email_verified_at.is_some() { "yes" } else { "no" };
            let (created, id) = (user.created_at.to_rfc3339(), user.id.to_string());
            table.row([user.email.as_str(), verified, user.status.as_str(), &roles(user), &created, &id])
        });
        page::to_text(&table, next.as_deref())
    });
    Ok(())
}

async fn show(auth: &Auth, user: &Account, format: Format) -> Result<(), Failure> {
    let user = user.user(auth, &context()).await?;
    let sessions = users::sessions(auth, Actor::Operator, user.id, &context()).await?;
    // None of them is the one that asks.
    let nobodys = uuid::Uuid::nil().into();
    let all: Vec<_> = sessions.iter().map(|session| reply::Session::of(session, nobodys)).collect();
    format.print(&json!({ "user": reply::User::from(&user), "sessions": all }), || {
        let verified = user.email_verified_at.map_or("no".into(), |at| format!("since {}", at.to_rfc3339()));
        let profile = &user.profile;
        let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let facts = [
            ("email", user.email.to_string()),
            ("id", user.id.to_string()),
            ("verified", verified),
            ("status", user.status.as_str().into()),
            ("roles", roles(&user)),
            ("factors", if user.factors.is_empty() { "-".into() } else { user.factors.to_text() }),
            ("name", optional(&profile.name)),
            ("phone", optional(&profile.phone_number)),
            ("image", optional(&profile.image_url)),
            ("locale", optional(&profile.locale)),
            ("created", user.created_at.to_rfc3339()),
        ];
        let facts = facts.iter().fold(Table::plain(), |table, (name, value)| table.row([name, value]));
        let head = Table::new(["SESSION", "SINCE", "LAST SEEN", "ENDS", "FROM", "DEVICE"]);
        let table = all.iter().fold(head, |table, session| {
            let (from, device) = (session.ip.as_deref().unwrap_or("-"), session.device.as_deref().unwrap_or("-"));
            let [since, seen, ends] = [&session.created_at, &session.last_seen_at, &session.expires_at];
            table.row([&session.id, since, seen, ends, from, device])
        });
        if all.is_empty() { format!("{facts}\nno sessions") } else { format!("{facts}\n{table}") }
    });
    Ok(())
}

/// Says what has become of a user.
async fn changed(auth: &Auth, user: &User, status: &str, format: Format) -> Result<(), Failure> {
    let now = users::show(auth, Actor::Operator, user.id, &context()).await?;
    print(&now, &format!("{} is {status}", user.email), format);
    Ok(())
}

fn print(user: &User, text: &str, format: Format) {
    format.print(&json!({ "user": reply::User::from(user) }), || text.to_owned());
}

pub(super) fn roles(user: &User) -> String {
    user.roles.iter().map(Role::as_str).collect::<Vec<_>>().join(" ")
}
