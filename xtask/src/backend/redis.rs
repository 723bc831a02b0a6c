use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::{Backend, Home, Running, free_port, password};
use crate::apt::Apt;
use crate::error::Error;
use crate::process::{self, Interrupt, find, tethered};

/// Redis, which keeps nothing on disk.
pub(crate) struct Redis;

impl Backend for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn installed(&self) -> bool {
        find("redis-server").is_some()
    }

    fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        apt.install("redis-server")
    }

    fn start(&self, home: Home, interrupt: &Interrupt) -> Result<Running, Error> {
        let program = find("redis-server").ok_or_else(|| Error::Failed("no redis-server on the PATH".into()))?;
        // Other users of this machine can reach the port.
        let password = password().map_err(Error::io("no random password"))?;
        let port = free_port()?;
        let mut command = tethered(&program, Signal::TERM, None);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--requirepass", &password]);
        command.args(["--save", "", "--appendonly", "no"]);
        let mut server = home.launch(command, Signal::TERM)?;
        home.await_answer(&mut server, interrupt, || is_up(port).then_some(()))?;

        Ok(Running {
            version: version_of(&program)?,
            environment: vec![("PORTCULLIS_TEST_REDIS", format!("redis://:{password}@127.0.0.1:{port}"))],
            _processes: vec![server],
            _home: home,
        })
    }
}

/// Whether it answers: that it wants a password.
pub(super) fn is_up(port: u16) -> bool {
    said_by(port).is_ok_and(|line| line.starts_with("-NOAUTH"))
}

fn said_by(port: u16) -> std::io::Result<String> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    connection.write_all(b"PING\r\n")?;
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line)?;
    Ok(line)
}

pub(super) fn version_of(program: &Path) -> Result<String, Error> {
    Ok(version(&process::output(Command::new(program).arg("--version"))?))
}

/// `7.0.15` of `Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=…`.
fn version(line: &str) -> String {
    line.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or("unknown").to_owned()
}
