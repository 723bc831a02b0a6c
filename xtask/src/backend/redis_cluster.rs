use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use rustix::process::Signal;

use super::{Backend, Home, PATIENCE, Running, free_port, password, redis};
use crate::apt::Apt;
use crate::error::Error;
use crate::process::{Interrupt, TICK, find, tethered};

/// A Cluster of three servers of Redis, which keep nothing on disk.
pub(crate) struct RedisCluster;

const SERVERS: usize = 3;

impl Backend for RedisCluster {
    fn name(&self) -> &'static str {
        "redis-cluster"
    }

    fn installed(&self) -> bool {
        find("redis-server").is_some() && find("redis-cli").is_some()
    }

    fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        apt.install("redis-server")
    }

    fn start(&self, home: Home, interrupt: &Interrupt) -> Result<Running, Error> {
        let programs = find("redis-server").zip(find("redis-cli"));
        let (server, client) = programs.ok_or_else(|| Error::Failed("no redis-server on the PATH".into()))?;
        // Other users of this machine can reach the ports.
        let password = password().map_err(Error::io("no random password"))?;
        let (mut ports, mut servers) = (Vec::new(), Vec::new());
        for _ in 0..SERVERS {
            let (port, bus) = (free_port()?.to_string(), free_port()?.to_string());
            let mut command = tethered(&server, Signal::TERM, None);
            command.args(["--bind", "127.0.0.1", "--port", &port, "--cluster-port", &bus, "--cluster-enabled", "yes"]);
            command.args(["--cluster-config-file", &format!("{port}.conf"), "--requirepass", &password]);
            command.args(["--masterauth", &password, "--save", "", "--appendonly", "no"]);
            let mut started = home.launch(command, Signal::TERM)?;
            home.await_answer(&mut started, interrupt, || port.parse().ok().filter(|port| redis::is_up(*port)))?;
            servers.push(started);
            ports.push(port);
        }
        let mut create = Command::new(&client);
        // Not among the arguments, which other users see.
        create.env("REDISCLI_AUTH", &password).args(["--cluster", "create"]);
        create.args(ports.iter().map(|port| format!("127.0.0.1:{port}"))).arg("--cluster-yes");
        home.run(create, interrupt)?;
        for port in &ports {
            await_state(&home, &client, port, &password, interrupt)?;
        }
        let urls: Vec<String> = ports.iter().map(|port| format!("redis://:{password}@127.0.0.1:{port}")).collect();
        Ok(Running {
            version: redis::version_of(&server)?,
            environment: vec![("PORTCULLIS_TEST_REDIS_CLUSTER", urls.join(","))],
            _processes: servers,
            _home: home,
        })
    }
}

/// Waits until a server knows of all slots that somebody has them.
fn await_state(
    home: &Home,
    client: &std::path::Path,
    port: &str,
    password: &str,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        interrupt.check()?;
        let mut ask = Command::new(client);
        ask.env("REDISCLI_AUTH", password).args(["-p", port, "CLUSTER", "INFO"]).stdin(Stdio::null());
        let said = ask.output().map_err(Error::io("cannot run redis-cli"))?;
        if String::from_utf8_lossy(&said.stdout).contains("cluster_state:ok") {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::Failed(format!("no Cluster in {PATIENCE:?}\n{}", home.log())));
        }
        thread::sleep(TICK);
    }
}
