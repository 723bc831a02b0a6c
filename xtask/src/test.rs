use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;

use crate::apt::Apt;
use crate::backend::{self, Backend, Running};
use crate::error::Error;
use crate::process::Interrupt;
use crate::report::Report;
use crate::runner::{Outcome, Runner, Tally};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Leave out this backend and the tests that need it.
    #[arg(long, value_name = "BACKEND", value_delimiter = ',', value_parser = backend_names())]
    skip: Vec<String>,
    /// Fail where a backend is missing, instead of installing it.
    #[arg(long)]
    no_install: bool,
    /// Arguments of the test runner: part of a test's name, `-p CRATE`, … Doc tests are then left out.
    #[arg(last = true, value_name = "ARGUMENT")]
    selection: Vec<String>,
}

fn backend_names() -> PossibleValuesParser {
    PossibleValuesParser::new(backend::ALL.map(Backend::name))
}

/// Runs the tests against fresh backends and prints the runner's summary, the table of suites, and the sum of all tests
/// on the very last line.
///
/// # Errors
/// If a backend can't be had, or the run is interrupted. Failed tests are an exit code.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let interrupt = Interrupt::watch()?;
    let backends = start_backends(options, &interrupt)?;
    let folder = tempfile::tempdir().map_err(Error::io("cannot make a temporary folder"))?;
    let suites = folder.path().join("suites");
    fs::write(&suites, "").map_err(Error::io("cannot write the suites' report"))?;

    let outcomes = run_tests(options, &environment(options, &backends, &suites), &interrupt)?;

    let lines = fs::read_to_string(&suites).map_err(Error::io("cannot read the suites' report"))?;
    let mut report = Report::read(&lines, &options.skip);
    if !options.selection.is_empty() {
        report = report.of_selection();
    }
    println!("\n{}\n", report.table());
    let mut success = outcomes.iter().all(|outcome| outcome.success);
    for error in report.errors() {
        println!("error: {error}");
        success = false;
    }
    match sum(&outcomes) {
        Some(sum) => println!("{sum}"),
        None => {
            println!("error: not all tests could be run");
            success = false;
        }
    }
    Ok(if success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All backends but the skipped ones. If some can't be had, says so of each.
fn start_backends(options: &Options, interrupt: &Interrupt) -> Result<Vec<Running>, Error> {
    let mut apt = Apt::new(!options.no_install);
    let (mut running, mut missing) = (Vec::new(), Vec::new());
    for backend in backend::ALL {
        let name = backend.name();
        if options.skip.iter().any(|skip| skip == name) {
            eprintln!("xtask: {name} SKIPPED");
            continue;
        }
        match backend::start(backend, &mut apt, interrupt) {
            Ok(backend) => {
                eprintln!("xtask: {name} ready, {}", backend.version);
                running.push(backend);
            }
            Err(interrupted @ Error::Interrupted(_)) => return Err(interrupted),
            Err(error) => missing.push(format!("{name}  MISSING  {error}\n(leave out its tests with --skip {name})")),
        }
    }
    if missing.is_empty() { Ok(running) } else { Err(Error::Failed(format!("no tests run\n{}", missing.join("\n")))) }
}

/// What tells the tests where the backends are. A test that finds neither its backend's variable nor its name in
/// `PORTCULLIS_SKIP` fails.
fn environment(options: &Options, backends: &[Running], suites: &Path) -> Vec<(&'static str, String)> {
    let mut environment = vec![("PORTCULLIS_SUITE_REPORT", suites.display().to_string())];
    environment.extend(backends.iter().flat_map(|backend| backend.environment.clone()));
    if !options.skip.is_empty() {
        environment.push(("PORTCULLIS_SKIP", options.skip.join(",")));
    }
    environment
}

fn run_tests(options: &Options, environment: &[(&str, String)], interrupt: &Interrupt) -> Result<Vec<Outcome>, Error> {
    let selected = |runner: &&Runner| options.selection.is_empty() || **runner != Runner::DocTests;
    let runners = Runner::all().iter().filter(selected);
    runners.map(|runner| runner.run(&options.selection, environment, interrupt)).collect()
}

/// All tests of all runners; `None` if one came to no end.
fn sum(outcomes: &[Outcome]) -> Option<Tally> {
    outcomes.iter().try_fold(Tally::default(), |sum, outcome| Some(sum + outcome.tally?))
}
