use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::{Backend, Home, Running, free_port, password};
use crate::apt::Apt;
use crate::error::Error;
use crate::process::{self, Interrupt, tethered};

/// PostgreSQL with an empty cluster: UTF-8, locale C, and no regard for power cuts.
pub(crate) struct Postgres;

/// PostgreSQL refuses to run as root; Debian's package makes this user for it.
const USER: &str = "postgres";

/// Immediate shutdown: the postmaster ends its children and keeps nothing for later.
const STOP: Signal = Signal::QUIT;

impl Backend for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn installed(&self) -> bool {
        programs().is_some()
    }

    fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        apt.install("postgresql")
    }

    fn start(&self, home: Home, interrupt: &Interrupt) -> Result<Running, Error> {
        let programs = programs().ok_or_else(|| Error::Failed("no folder with both initdb and postgres".into()))?;
        let postgres = programs.join("postgres");
        let user = rustix::process::geteuid().is_root().then_some(USER);
        if let Some(user) = user {
            process::output(Command::new("chown").arg(format!("{user}:")).arg(home.path()))?;
        }

        // Other users of this machine can reach the port, and a superuser of PostgreSQL can run programs. The password
        // is asked for in the clear: SCRAM would cost every connection of an unoptimised client 4096 rounds.
        let password = password().map_err(Error::io("no random password"))?;
        let (data, password_file) = (home.path().join("data"), home.path().join("password"));
        fs::write(&password_file, &password).map_err(Error::io("cannot write the password file"))?;
        let mut initdb = tethered(&programs.join("initdb"), STOP, user);
        initdb.args(["--username=postgres", "--auth=password", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        initdb.arg("--pwfile").arg(&password_file).arg("--pgdata").arg(&data);
        home.run(initdb, interrupt)?;

        let port = free_port()?;
        let mut command = tethered(&postgres, STOP, user);
        command.arg("-D").arg(&data);
        // Without fsync a crash of the machine loses the cluster; what transactions see of each other is the same.
        for setting in ["fsync=off", "full_page_writes=off", "max_connections=300", "unix_socket_directories="] {
            command.args(["-c", setting]);
        }
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={port}")]);
        let mut server = home.launch(command, STOP)?;
        // The postmaster writes its state into line 8 of its lock file, as pg_ctl relies on.
        home.await_answer(&mut server, interrupt, || {
            let state = fs::read_to_string(data.join("postmaster.pid")).ok()?;
            state.lines().nth(7).filter(|state| state.trim() == "ready").map(drop)
        })?;

        Ok(Running {
            version: version(&process::output(Command::new(&postgres).arg("--version"))?),
            environment: vec![(
                "PORTCULLIS_TEST_POSTGRES",
                format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres"),
            )],
            _processes: vec![server],
            _home: home,
        })
    }
}

/// The folder of initdb and postgres: on the `PATH`, else Debian's newest.
fn programs() -> Option<PathBuf> {
    let complete = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let on_path = process::find("initdb").and_then(|initdb| Some(initdb.parent()?.to_owned())).filter(complete);
    on_path.or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
        let numbered = versions
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))));
        numbered.filter(|(_, folder)| complete(folder)).max().map(|(_, folder)| folder)
    })
}

/// `15.14` of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn version(line: &str) -> String {
    line.split_whitespace().nth(2).unwrap_or("unknown").to_owned()
}
