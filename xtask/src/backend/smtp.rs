use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use rustix::process::Signal;

use super::{Backend, Home, Running, free_port};
use crate::apt::Apt;
use crate::error::Error;
use crate::process::{Interrupt, find, tethered};

/// aiosmtpd, an SMTP server of other people's making, which files what it accepts in a Maildir.
pub(crate) struct Smtp;

impl Backend for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn installed(&self) -> bool {
        find("aiosmtpd").is_some()
    }

    fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        apt.install("python3-aiosmtpd")
    }

    fn start(&self, home: Home, interrupt: &Interrupt) -> Result<Running, Error> {
        let program = find("aiosmtpd").ok_or_else(|| Error::Failed("no aiosmtpd on the PATH".into()))?;
        let (port, maildir) = (free_port()?, home.path().join("maildir"));
        let mut command = tethered(&program, Signal::TERM, None);
        command.args(["--nosetuid", "--smtputf8", "--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&maildir);
        let mut server = home.launch(command, Signal::TERM)?;
        let banner = home.await_answer(&mut server, interrupt, || banner(port).ok())?;

        Ok(Running {
            version: version(&banner),
            environment: vec![
                ("PORTCULLIS_TEST_SMTP", format!("smtp://127.0.0.1:{port}")),
                ("PORTCULLIS_TEST_MAILDIR", maildir.display().to_string()),
            ],
            _processes: vec![server],
            _home: home,
        })
    }
}

/// The first line the server says.
fn banner(port: u16) -> std::io::Result<String> {
    let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line)?;
    Ok(line)
}

/// `aiosmtpd 1.4.3` of `220 host Python SMTP 1.4.3`.
fn version(banner: &str) -> String {
    format!("aiosmtpd {}", banner.split_whitespace().last().unwrap_or("unknown"))
}
