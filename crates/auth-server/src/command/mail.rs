//! `mail`: the outbox.

use auth_core::Auth;
use auth_core::domain::{MailId, MailRecord, MailState};
use auth_core::flow::outbox;
use auth_core::port::MailQuery;
use clap::Subcommand;
use serde_json::{Value, json};

use super::account::Account;
use super::output::Format;
use super::page::{self, Page};
use super::table::Table;
use super::{context, core};
use crate::Failure;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List mails, newest first, without what they say.
    List {
        /// Only those that are queued, sent or dead (given up).
        #[arg(long, value_parser = state)]
        state: Option<MailState>,
        /// Only those about this user's account: their address or id.
        #[arg(long)]
        user: Option<Account>,
        #[command(flatten)]
        page: Page<MailId>,
    },
    /// Send again what was given up. What has expired stays dead, since its codes and links are.
    Retry {
        /// The mail.
        #[arg(required_unless_present = "all")]
        id: Option<MailId>,
        /// Every one that was given up.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

pub(crate) async fn run(config: Config, command: Command, format: Format) -> Result<(), Failure> {
    let auth = core(config).await?;
    match command {
        Command::List { state, user, page } => list(&auth, state, user, page, format).await,
        Command::Retry { id, .. } => retry(&auth, id, format).await,
    }
}

async fn list(
    auth: &Auth,
    state: Option<MailState>,
    user: Option<Account>,
    page: Page<MailId>,
    format: Format,
) -> Result<(), Failure> {
    let user = match user {
        Some(account) => Some(account.user(auth, &context()).await?.id),
        None => None,
    };
    let query = MailQuery { user, state, before: page.before, limit: page.limit };
    let mails = outbox::list(auth, &query).await?;
    let next = page::next(page.limit, mails.len(), mails.last().map(|mail| mail.id.to_string()));
    let all: Vec<_> = mails.iter().map(mail_to_json).collect();
    format.print(&page::to_json("mails", &all, next.as_deref()), || {
        let head = Table::new(["CREATED", "TO", "KIND", "STATE", "ATTEMPTS", "REASON", "ID"]);
        let table = mails.iter().fold(head, |table, mail| {
            let (created, attempts, id) =
                (mail.created_at.to_rfc3339(), mail.attempts.to_string(), mail.id.to_string());
            let reason = mail.reason.as_deref().unwrap_or("-");
            table.row([&created, mail.to.as_str(), mail.kind.as_str(), mail.state.as_str(), &attempts, reason, &id])
        });
        page::to_text(&table, next.as_deref())
    });
    Ok(())
}

async fn retry(auth: &Auth, id: Option<MailId>, format: Format) -> Result<(), Failure> {
    let mails = outbox::retry(auth, id, &context()).await?;
    if let (0, Some(id)) = (mails, id) {
        return Err(format!("no mail {id} was given up, or it has expired").into());
    }
    format.print(&json!({ "retried": mails }), || match mails {
        0 => "nothing was given up that hasn't expired".to_owned(),
        1 => "1 mail is sent again".to_owned(),
        mails => format!("{mails} mails are sent again"),
    });
    Ok(())
}

fn mail_to_json(mail: &MailRecord) -> Value {
    json!({
        "id": mail.id.to_string(),
        "userId": mail.user.map(|user| user.to_string()),
        "to": mail.to.as_str(),
        "kind": mail.kind.as_str(),
        "state": mail.state.as_str(),
        "createdAt": mail.created_at.to_rfc3339(),
        "expiresAt": mail.expires_at.to_rfc3339(),
        "attempts": mail.attempts,
        "reason": mail.reason,
    })
}

fn state(text: &str) -> Result<MailState, String> {
    MailState::parse(text).ok_or_else(|| "queued, sent or dead".into())
}
