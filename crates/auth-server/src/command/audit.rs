//! `audit`: what happened.

use auth_core::domain::{AuditKind, EventId};
use auth_core::flow::{Actor, audit};
use auth_core::port::AuditQuery;
use auth_http::reply;
use clap::Subcommand;
use serde_json::json;

use super::account::Account;
use super::output::Format;
use super::page::{self, Page};
use super::table::Table;
use super::{context, core};
use crate::Failure;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List events, newest first.
    List {
        /// Only those about or by this user: their address or id.
        #[arg(long)]
        user: Option<Account>,
        /// Only those of this kind, such as session.opened.
        #[arg(long, value_parser = kind)]
        kind: Option<AuditKind>,
        #[command(flatten)]
        page: Page<EventId>,
    },
}

pub(crate) async fn run(config: Config, command: Command, format: Format) -> Result<(), Failure> {
    let Command::List { user, kind, page } = command;
    let auth = core(config).await?;
    let user = match user {
        // Also one who isn't there any more.
        Some(Account::Id(id)) => Some(id),
        Some(account) => Some(account.user(&auth, &context()).await?.id),
        None => None,
    };
    let query = AuditQuery { user, kind, before: page.before, limit: page.limit };
    let events = audit::list(&auth, Actor::Operator, &query, &context()).await?;
    let next = page::next(page.limit, events.len(), events.last().map(|event| event.id.to_string()));
    let all: Vec<_> = events.iter().map(|event| json!(reply::AuditEvent::from(event))).collect();
    format.print(&page::to_json("events", &all, next.as_deref()), || {
        let head = Table::new(["AT", "KIND", "SUBJECT", "ACTOR", "IP", "DETAIL"]);
        let table = events.iter().fold(head, |table, event| {
            let at = event.at.to_rfc3339();
            let [subject, actor] = [event.subject, event.actor].map(|id| id.map_or("-".into(), |id| id.to_string()));
            let ip = event.ip.map_or("-".into(), |ip| ip.to_string());
            let detail: Vec<_> = event.detail.iter().map(|(name, value)| format!("{name}={value}")).collect();
            table.row([&at, event.kind.as_str(), &subject, &actor, &ip, &detail.join(" ")])
        });
        page::to_text(&table, next.as_deref())
    });
    Ok(())
}

fn kind(text: &str) -> Result<AuditKind, String> {
    AuditKind::parse(text).ok_or_else(|| "no such kind of event".into())
}
