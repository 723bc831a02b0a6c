//! `user import`: accounts from elsewhere, one a line.

mod line;
mod lines;
mod report;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use auth_core::Auth;
use auth_core::flow::import::{Imported, import};
use auth_core::flow::{Actor, AdminError, users};
use clap::Args;
use serde_json::json;

use self::lines::{Line, Lines};
use self::report::{Outcome, Report};
use super::output::Format;
use super::{context, core};
use crate::Failure;
use crate::config::Config;

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file, or - for standard input. A line is a JSON object: `email`, and as far as they are known `passwordHash`,
    /// `emailVerified`, `name`, `locale`, `roles`, `attributes` and `createdAt`.
    file: PathBuf,
    /// Check all lines, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Note in this new file which lines made no account, and why. Without it, standard error tells of those that were
    /// refused.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Lines that become one commit: more gain little, and on SQLite servers wait while it lasts.
const BATCH: usize = 200;

/// Imports, and fails where a line was refused.
///
/// A line whose address has an account is passed over. So after whatever went wrong, running it again makes the accounts that
/// are missing, and nothing else.
pub(super) async fn run(config: Config, arguments: Import, format: Format) -> Result<(), Failure> {
    let Import { file, dry_run, report } = arguments;
    // Before the store is opened: a slip with a name shows at once.
    let mut lines = Lines::open(&file)?;
    let mut report = Report::open(report.as_deref(), lines.progress(), format)?;
    let auth = core(config).await?;
    let importer = if dry_run { Importer::DryRun(auth, HashSet::new()) } else { Importer::Store(auth) };
    let outcome = all(&mut lines, importer, &mut report).await;

    let tally = report.finish()?;
    let (made, present, refused) = (tally.made, tally.present, tally.refused);
    let counts = json!({ "imported": made, "present": present, "refused": refused, "dryRun": dry_run });
    format.print(&counts, || {
        let imported = if dry_run { "would be imported" } else { "imported" };
        format!("{imported}: {made}, there already: {present}, refused: {refused}")
    });
    if let Err(error) = outcome {
        return Err(format!("stopped after line {}; run it again to go on: {error}", tally.last).into());
    }
    match refused {
        0 => Ok(()),
        1 => Err("1 line was refused".into()),
        many => Err(format!("{many} lines were refused").into()),
    }
}

async fn all(lines: &mut Lines, mut importer: Importer, report: &mut Report) -> Result<(), Failure> {
    loop {
        let (mut accounts, mut read) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        while read.len() < BATCH
            && let Some(Line { number, account }) = lines.next()?
        {
            read.push((number, account.map(|account| accounts.push(account))));
        }
        if read.is_empty() {
            return Ok(());
        }
        let mut made = importer.make(&accounts).await?.into_iter();
        for (number, account) in read {
            let outcome = match account {
                Err(why) => Outcome::Refused(why),
                Ok(()) if made.next() == Some(true) => Outcome::Made,
                Ok(()) => Outcome::Present,
            };
            report.note(number, &outcome)?;
        }
        report.show();
    }
}

/// What makes accounts.
enum Importer {
    Store(Arc<Auth>),
    /// Only tells which would be made. The addresses are those of earlier lines.
    DryRun(Arc<Auth>, HashSet<String>),
}

impl Importer {
    /// For each account, whether it was made. Otherwise its address has one.
    async fn make(&mut self, accounts: &[Imported]) -> Result<Vec<bool>, Failure> {
        match self {
            Self::Store(auth) => {
                let outcomes = import(auth, accounts, &context()).await?;
                Ok(outcomes.iter().map(Result::is_ok).collect())
            }
            Self::DryRun(auth, seen) => {
                let mut outcomes = Vec::with_capacity(accounts.len());
                for Imported { email, .. } in accounts {
                    let is_new = seen.insert(email.canonical().to_owned());
                    outcomes.push(match users::find(auth, Actor::Operator, email, &context()).await {
                        Ok(_) => false,
                        Err(AdminError::NotFound) => is_new,
                        Err(error) => return Err(error.into()),
                    });
                }
                Ok(outcomes)
            }
        }
    }
}
