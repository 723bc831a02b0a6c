//! Which tests show which requirement: the last column of the requirements page, written from the tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::error::Error;
use crate::workspace::root;

const PAGE: &str = "docs/src/security/requirements.md";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing, and fail where the page isn't what it would be.
    #[arg(long)]
    check: bool,
}

/// Writes the tests into the page's tables, whose other columns are written by hand.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let path = root().join(PAGE);
    let page = read(&path)?;
    let written = with_tests(&page, &all_tests()?)?;
    if page == written {
        return Ok(ExitCode::SUCCESS);
    }
    if options.check {
        return Err(Error::Failed(format!("{PAGE} is stale: run `cargo xtask requirements`")));
    }
    fs::write(&path, written).map_err(Error::io(PAGE))?;
    println!("{PAGE} is written");
    Ok(ExitCode::SUCCESS)
}

/// A test that says which requirements it shows: by the beginning of its name, or in the comment above it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    /// Relative to the workspace.
    file: String,
    name: String,
    ids: BTreeSet<String>,
    /// Whether it lets requests race.
    races: bool,
}

impl Test {
    /// What comes first in a cell: the most real. Browsers and whole processes, then suites that run on every store or through every web
    /// adapter, then one crate from outside, then its parts; of equals the races.
    fn rank(&self) -> (usize, bool, &str) {
        let kind = match &*self.file {
            file if file.starts_with("examples/") || file.starts_with("crates/auth-server/tests/") => 0,
            file if file.starts_with("crates/auth-testkit/src/") => 1,
            file if file.contains("/tests/") => 2,
            _ => 3,
        };
        (kind, !self.races, &self.name)
    }
}

/// `page` with its last columns written anew.
fn with_tests(page: &str, tests: &[Test]) -> Result<String, Error> {
    let rows: Vec<Option<(&str, &str)>> = page.lines().map(row).collect();
    let ids: BTreeSet<&str> = rows.iter().flatten().map(|(id, _)| *id).collect();
    for Test { file, name, ids: shown, .. } in tests {
        // A comment may mention what looks like an id; a name that begins with one means it.
        if let Some(id) = shown.iter().find(|id| name.starts_with(&id.to_lowercase()) && !ids.contains(id.as_str())) {
            return Err(Error::Failed(format!("{file}: {name} shows {id}, which {PAGE} doesn't have")));
        }
    }
    let lines = page.lines().zip(rows).map(|(line, row)| match row {
        Some((id, kept)) => format!("{kept} {} |\n", cell(id, tests)),
        None => format!("{line}\n"),
    });
    Ok(lines.collect())
}

/// Id and first three columns of a line, if it is a requirement's.
fn row(line: &str) -> Option<(&str, &str)> {
    let id = line.strip_prefix("| ")?.split(' ').next().filter(|word| is_id(word))?;
    let (third, _) = line.match_indices('|').nth(3)?;
    Some((id, &line[..=third]))
}

/// The tests that show `id`, by file, each file linked once.
fn cell(id: &str, tests: &[Test]) -> String {
    let mut shown: Vec<&Test> = tests.iter().filter(|test| test.ids.contains(id)).collect();
    shown.sort_by_key(|test| test.rank());
    let mut files: Vec<(&str, Vec<String>)> = Vec::new();
    for test in shown {
        let name = format!("`{}`", test.name);
        match files.iter_mut().find(|(file, _)| *file == test.file) {
            Some((_, names)) => names.push(name),
            None => files.push((&test.file, vec![name])),
        }
    }
    let files = files.iter().map(|(file, names)| format!("[{}](../../../{file}): {}", label(file), names.join(", ")));
    let cell = files.collect::<Vec<_>>().join("; ");
    if cell.is_empty() { "no test of its own".to_owned() } else { cell }
}

/// A file's name without what all have in common.
fn label(file: &str) -> String {
    let name = file.trim_start_matches("crates/").trim_end_matches(".rs");
    name.replace("/src/", "/").replace("/tests/main/", "/").replace("/tests/", "/")
}

fn all_tests() -> Result<Vec<Test>, Error> {
    let mut sources = Vec::new();
    for folder in ["crates", "examples", "xtask"] {
        collect(&root().join(folder), &mut sources)?;
    }
    sources.sort();
    let listed = sources.iter().flat_map(|(_, text)| listed(text)).collect();
    Ok(sources.iter().flat_map(|(file, text)| tests(file, text, &listed)).collect())
}

/// The Rust sources below `folder`, each with its path from the workspace's root.
fn collect(folder: &Path, sources: &mut Vec<(String, String)>) -> Result<(), Error> {
    let failed = || Error::io(folder.display());
    for entry in fs::read_dir(folder).map_err(failed())? {
        let path: PathBuf = entry.map_err(failed())?.path();
        if path.is_dir() {
            collect(&path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            sources.push((file, read(&path)?));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io(path.display()))
}

/// The functions that a macro makes tests of: the names in the suites' lists, and in `on_each_backend!`.
fn listed(text: &str) -> Vec<&str> {
    let lists = ["checks! {", "on_each_backend!("];
    let begins = lists.iter().flat_map(|list| text.match_indices(list).map(|(at, list)| at + list.len()));
    let names = begins.filter_map(|at| text[at..].split(['}', ')']).next());
    names
        .flat_map(|names| names.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|name| !name.is_empty())
        .collect()
}

/// The tests of a source that name a requirement.
fn tests(file: &str, text: &str, listed: &BTreeSet<&str>) -> Vec<Test> {
    let mut tests = Vec::new();
    let (mut comment, mut is_test) = (Vec::new(), false);
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") {
            comment.push(code);
        } else if code.starts_with("#[") {
            is_test |= code.contains("test]") || code.contains("test(");
        } else {
            if let Some(name) = function(code).filter(|name| is_test || listed.contains(name)) {
                let ids: BTreeSet<String> =
                    comment.iter().flat_map(|line| ids_of_comment(line)).chain(ids_of_name(name)).collect();
                let end = format!("{}}}", &line[..line.len() - code.len()]);
                let races = lines[at..].iter().take_while(|line| **line != end).any(|line| line.contains("race"));
                if !ids.is_empty() {
                    tests.push(Test { file: file.to_owned(), name: name.to_owned(), ids, races });
                }
            }
            (comment, is_test) = (Vec::new(), false);
        }
    }
    tests
}

/// The name of the function that a line begins.
fn function(code: &str) -> Option<&str> {
    let code = code.strip_prefix("pub ").unwrap_or(code);
    let code = code.strip_prefix("async ").unwrap_or(code).strip_prefix("fn ")?;
    code.split(['(', '<']).next()
}

fn ids_of_comment(line: &str) -> impl Iterator<Item = String> {
    line.split(|c: char| !c.is_alphanumeric()).filter(|word| is_id(word)).map(str::to_owned)
}

/// Those that a name begins with: `au4_df1_…` shows two.
fn ids_of_name(name: &str) -> impl Iterator<Item = String> {
    name.split('_').map(str::to_uppercase).take_while(|word| is_id(word))
}

/// Two letters and a number.
fn is_id(word: &str) -> bool {
    let (letters, digits) = word.split_at_checked(2).unwrap_or_default();
    letters.bytes().all(|b| b.is_ascii_uppercase()) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_tests_there_are() {
        let page = read(&root().join(PAGE)).unwrap();
        let written = with_tests(&page, &all_tests().unwrap()).unwrap();
        let stale = page.lines().zip(written.lines()).find(|(is, should)| is != should);
        assert_eq!(stale, None, "run `cargo xtask requirements`");
    }

    #[test]
    fn tests_name_requirements_before_them() {
        let text = "
// VT3: spent once.
#[test]
fn a_link_is_spent_once() {
    race(50);
}

/// RR1, RR2
pub async fn au4_df1_listed(store: &dyn Store) {}

// VT3: names one, and is no test.
fn helper() {}

// RR3: too far away.

#[test]
fn unnamed() {}
";
        let found = tests("crates/a/src/b.rs", text, &["au4_df1_listed"].into());
        let found: Vec<_> = found
            .iter()
            .map(|test| (&*test.name, test.ids.iter().cloned().collect::<Vec<_>>().join(" "), test.races))
            .collect();
        let both = "AU4 DF1 RR1 RR2".to_owned();
        assert_eq!(found, [("a_link_is_spent_once", "VT3".to_owned(), true), ("au4_df1_listed", both, false)]);
    }

    #[test]
    fn lists_of_suites_are_read() {
        let text = "$crate::__http_checks! { $open\n sessions: se1_a, b;\n pages: c; }\non_each_backend!(d, e);";
        assert_eq!(listed(text), ["open", "sessions", "se1_a", "b", "pages", "c", "d", "e"]);
    }

    #[test]
    fn rows_are_written_and_the_rest_is_kept() {
        let test = |file: &str, name: &str, races| Test {
            file: file.into(),
            name: name.into(),
            ids: ids_of_name(name).collect(),
            races,
        };
        let tests = [
            test("crates/auth-core/src/code.rs", "vt1_unit", false),
            test("crates/auth-testkit/src/http/tokens.rs", "vt1_a", false),
            test("crates/auth-testkit/src/http/tokens.rs", "vt1_b", true),
        ];
        let page = "# Title\n\n| id | what | source | shown by |\n|---|---|---|---|\n| VT1 | a thing | own | old |\n| VT2 | another | own | |\n";
        let expected = "# Title\n\n| id | what | source | shown by |\n|---|---|---|---|\n\
            | VT1 | a thing | own | [auth-testkit/http/tokens](../../../crates/auth-testkit/src/http/tokens.rs): `vt1_b`, `vt1_a`; \
            [auth-core/code](../../../crates/auth-core/src/code.rs): `vt1_unit` |\n\
            | VT2 | another | own | no test of its own |\n";
        assert_eq!(with_tests(page, &tests).unwrap(), expected);
        assert_eq!(with_tests(expected, &tests).unwrap(), expected);
        assert!(with_tests(page, &[test("f", "vt9_unknown", false)]).is_err());
    }
}
