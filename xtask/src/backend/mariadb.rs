use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::{Backend, Home, Running, free_port, password};
use crate::apt::Apt;
use crate::error::Error;
use crate::process::{self, Interrupt, tethered};

/// MariaDB with an empty data folder, a collation that takes `a`, `A` and `á` for one letter, and no regard for power
/// cuts.
pub(crate) struct Mariadb;

/// The server refuses to run as root; Debian's package makes this user for it.
const USER: &str = "mysql";

const STOP: Signal = Signal::TERM;

impl Backend for Mariadb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn installed(&self) -> bool {
        programs().is_some()
    }

    fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        apt.install("mariadb-server")
    }

    fn start(&self, home: Home, interrupt: &Interrupt) -> Result<Running, Error> {
        let (install, server) =
            programs().ok_or_else(|| Error::Failed("neither mariadb-install-db nor mariadbd".into()))?;
        let user = rustix::process::geteuid().is_root().then_some(USER);
        if let Some(user) = user {
            process::output(Command::new("chown").arg(format!("{user}:")).arg(home.path()))?;
        }
        let [data, socket, words] = ["data", "socket", "words.sql"].map(|name| home.path().join(name));

        // Alone, or what this machine's own server is set to would apply to this one.
        let alone = "--no-defaults";
        let mut command = tethered(&install, STOP, user);
        command.args([alone, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]);
        command.arg(format!("--datadir={}", data.display())).args(CHEAP);
        home.run(command, interrupt)?;

        // Other users of this machine can reach the port, and an administrator of the server can read its files.
        let password = password().map_err(Error::io("no random password"))?;
        let first = format!(
            "delete from mysql.global_priv where user = 'root' and host <> '127.0.0.1';\nflush privileges;\n\
             alter user root@'127.0.0.1' identified by '{password}';\n"
        );
        fs::write(&words, first).map_err(Error::io("cannot write the server's first words"))?;

        let port = free_port()?;
        let mut command = tethered(&server, STOP, user);
        command.args([alone, "--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=500"]);
        command.args(["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]);
        // Deadlocks are counted in the log: the server's own counter doesn't tell databases apart.
        command.args(["--innodb-print-all-deadlocks=1", "--innodb-fast-shutdown=2"]).args(CHEAP);
        command.arg(format!("--datadir={}", data.display())).arg(format!("--tmpdir={}", home.path().display()));
        command.arg(format!("--socket={}", socket.display())).arg(format!("--port={port}"));
        command.arg(format!("--init-file={}", words.display()));
        let mut running = home.launch(command, STOP)?;
        let log = home.path().join("log");
        home.await_answer(&mut running, interrupt, || {
            fs::read_to_string(&log).ok().filter(|log| log.contains("ready for connections")).map(drop)
        })?;
        fs::remove_file(&words).map_err(Error::io("cannot remove the server's first words"))?;

        Ok(Running {
            version: version(&process::output(Command::new(&server).arg("--version"))?),
            environment: vec![
                ("PORTCULLIS_TEST_MARIADB", format!("mysql://root:{password}@127.0.0.1:{port}")),
                ("PORTCULLIS_TEST_MARIADB_LOG", log.display().to_string()),
            ],
            _processes: vec![running],
            _home: home,
        })
    }
}

/// Without flushing, a crash of the machine loses the data; what transactions see of each other is the same.
const CHEAP: [&str; 3] = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-log-file-size=32M"];

/// The one that makes a data folder, and the server, which Debian keeps out of an ordinary user's `PATH`.
fn programs() -> Option<(PathBuf, PathBuf)> {
    let install = process::find("mariadb-install-db")?;
    let in_sbin = || Some(PathBuf::from("/usr/sbin/mariadbd")).filter(|server| server.is_file());
    Some((install, process::find("mariadbd").or_else(in_sbin)?))
}

/// `10.11.14` of `mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)`.
fn version(line: &str) -> String {
    let version = line.split_whitespace().skip_while(|word| *word != "Ver").nth(1);
    version.and_then(|version| version.split('-').next()).unwrap_or("unknown").to_owned()
}
