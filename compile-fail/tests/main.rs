//! Mistakes don't compile, and what the compiler says helps to mend them.
//!
//! With cargo, in the workspace's own target folder: dependencies are there already. What is compared is what we have our
//! part in, and not whole messages, which differ from one Rust to the next.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Compiles one module; `Err` with what the compiler says where it doesn't compile.
fn compile(mistake: &str) -> Result<(), String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "rustc",
        "--quiet",
        "--package",
        "compile-fail",
        "--lib",
        "--profile",
        "check",
        "--color",
        "never",
        "--",
    ]);
    cargo.args(["--cfg", &format!("mistake=\"{mistake}\""), "--allow", "dead_code"]);
    let output = cargo.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// A message in one line, as the compiler may break it anywhere.
fn unwrapped(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

// RB1: a guard that can't work is none that lets everybody through.
#[test]
fn rb1_mistakes_do_not_compile() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.ends_with("lib.rs"));
    files.sort();
    assert!(files.len() >= 10, "only {} modules found", files.len());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let source = fs::read_to_string(&file).unwrap();
        let expected: Vec<&str> = source.lines().filter_map(|line| line.strip_prefix("//~ ")).collect();
        match compile(name) {
            Ok(()) => assert!(expected.is_empty(), "{name} compiles"),
            Err(said) => {
                assert!(!expected.is_empty(), "{name} doesn't compile:\n{said}");
                for part in expected {
                    assert!(unwrapped(&said).contains(part), "{name}: not said: {part}\n{said}");
                }
            }
        }
    }
}
