//! What came of each line, and of all of them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde_json::json;

use crate::Failure;
use crate::command::output::{Format, complain};

/// What came of a line.
pub(super) enum Outcome {
    Made,
    /// The address has an account, which stays as it is.
    Present,
    Refused(String),
}

/// What came of the lines so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) made: u64,
    pub(super) present: u64,
    pub(super) refused: u64,
    /// The last line's number.
    pub(super) last: u64,
}

/// Tells which lines made no account, in order.
pub(super) struct Report {
    file: Option<(PathBuf, BufWriter<File>)>,
    progress: ProgressBar,
    format: Format,
    tally: Tally,
}

impl Report {
    /// To a new file, or to standard error, where `progress` is in the way. No file is written over: it might be the one
    /// that is imported.
    pub(super) fn open(path: Option<&Path>, progress: &ProgressBar, format: Format) -> Result<Self, Failure> {
        let open = |path: &Path| match File::create_new(path) {
            Ok(file) => Ok((path.to_owned(), BufWriter::new(file))),
            Err(error) => Err(format!("{}: {error}", path.display())),
        };
        let file = path.map(open).transpose()?;
        Ok(Self { file, progress: progress.clone(), format, tally: Tally::default() })
    }

    pub(super) fn note(&mut self, line: u64, outcome: &Outcome) -> Result<(), Failure> {
        let Tally { made, present, refused, last } = &mut self.tally;
        *last = line;
        let (count, word, why) = match outcome {
            Outcome::Made => (made, "imported", None),
            Outcome::Present => (present, "present", Some("the address has an account")),
            Outcome::Refused(why) => (refused, "refused", Some(why.as_str())),
        };
        *count += 1;
        let Some(why) = why else { return Ok(()) };
        let text = match self.format {
            Format::Json => json!({ "line": line, "outcome": word, "reason": why }).to_string(),
            Format::Text => format!("line {line}: {word}: {why}"),
        };
        match &mut self.file {
            Some((path, file)) => {
                writeln!(file, "{text}").map_err(|error| format!("{}: {error}", path.display()))?;
            }
            // Importing again what was imported is harmless, and not worth a line each.
            None if matches!(outcome, Outcome::Present) => {}
            None => self.progress.suspend(|| complain(&text)),
        }
        Ok(())
    }

    /// Shows how many lines there were.
    pub(super) fn show(&self) {
        let Tally { made, present, refused, .. } = self.tally;
        self.progress.set_message(format!("{made} imported, {present} there already, {refused} refused"));
    }

    /// All is told.
    pub(super) fn finish(self) -> Result<Tally, Failure> {
        self.progress.finish_and_clear();
        if let Some((path, mut file)) = self.file {
            file.flush().map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(self.tally)
    }
}
