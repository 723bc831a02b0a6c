use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;

use rustix::process::Signal;

use super::{Backend, Home, Running, free_port};
use crate::apt::Apt;
use crate::error::Error;
use crate::pip::Package;
use crate::process::{Interrupt, tethered};

/// moto's server, which plays AWS: an SES endpoint of other people's making, which can record what it is sent.
pub(crate) struct Ses;

const MOTO: Package = Package { name: "moto", requirement: "moto[server]~=5.2" };

impl Backend for Ses {
    fn name(&self) -> &'static str {
        "ses"
    }

    fn installed(&self) -> bool {
        program().is_some()
    }

    fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        MOTO.install(apt)
    }

    fn start(&self, home: Home, interrupt: &Interrupt) -> Result<Running, Error> {
        let program = program().ok_or_else(|| Error::Failed("moto brought no moto_server".into()))?;
        let (port, version) = (free_port()?, format!("moto {}", MOTO.version()?));
        let mut command = tethered(&program, Signal::TERM, None);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        // Below its home, so that it goes with that.
        command.env("MOTO_RECORDER_FILEPATH", home.path().join("recording"));
        let mut server = home.launch(command, Signal::TERM)?;
        let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop);
        home.await_answer(&mut server, interrupt, answers)?;

        Ok(Running {
            version: version.clone(),
            environment: vec![
                ("PORTCULLIS_TEST_SES", format!("http://127.0.0.1:{port}")),
                ("PORTCULLIS_TEST_SES_VERSION", version),
            ],
            _processes: vec![server],
            _home: home,
        })
    }
}

fn program() -> Option<PathBuf> {
    MOTO.program("moto_server")
}
