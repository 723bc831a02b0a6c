//! The lines of a file, with a bar that shows how far one has got.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use auth_core::adapter::SystemClock;
use auth_core::domain::Timestamp;
use auth_core::flow::import::Imported;
use auth_core::port::Clock as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::line;
use crate::Failure;

/// The lines of a file, with a bar that shows how far one has got.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    number: u64,
    /// On standard error, and only at a terminal.
    progress: ProgressBar,
    now: Timestamp,
}

/// One that isn't blank.
pub(super) struct Line {
    /// Counted from 1, blank ones included.
    pub(super) number: u64,
    /// What it describes, or why it describes none.
    pub(super) account: Result<Imported, String>,
}

/// Bytes of a line: far more than an account takes, and no more than fits into memory where a file has no line breaks.
const MAX: usize = 64 * 1024;

impl Lines {
    /// A file's, or standard input's for `-`.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let (reader, progress): (Box<dyn BufRead>, _) = if path == Path::new("-") {
            let style = ProgressStyle::with_template("{spinner} {msg}, {bytes} in {elapsed}")?;
            (Box::new(io::stdin().lock()), ProgressBar::no_length().with_style(style))
        } else {
            let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let style = ProgressStyle::with_template("{bar:30} {percent} %, {msg}, {eta} to go")?;
            let progress = ProgressBar::new(file.metadata()?.len()).with_style(style);
            (Box::new(BufReader::with_capacity(MAX, file)), progress)
        };
        Ok(Self { path: path.to_owned(), reader, number: 0, progress, now: SystemClock::new().now() })
    }

    /// The bar.
    pub(super) fn progress(&self) -> &ProgressBar {
        &self.progress
    }

    /// The next line that isn't blank.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Failure> {
        self.read().map_err(|error| format!("{}: {error}", self.path.display()).into())
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = (&mut self.reader).take(MAX as u64).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.progress.inc(read as u64);
            if read == MAX && !bytes.ends_with(b"\n") {
                self.progress.inc(self.reader.skip_until(b'\n')? as u64);
                return Ok(Some(Line { number: self.number, account: Err("is longer than 64 KiB".to_owned()) }));
            }
            // What some editors put before everything else.
            let text =
                if self.number == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes) } else { &bytes[..] };
            if !text.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, account: line::read(text, self.now) }));
            }
        }
    }
}
