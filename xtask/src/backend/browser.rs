use std::process::Command;

use super::{Backend, Home, Running};
use crate::apt::Apt;
use crate::error::Error;
use crate::npm::Package;
use crate::process::{Interrupt, find, output};

/// Debian's Chromium, and Node with Playwright to drive it. The tests start it themselves.
pub(crate) struct Browser;

/// The library alone: `playwright` would download browsers of its own. Versions from 1.62 on need a newer Node than
/// Debian 12 has.
const PLAYWRIGHT: Package = Package { name: "playwright-core", version: "~1.61.0" };

impl Backend for Browser {
    fn name(&self) -> &'static str {
        "browser"
    }

    fn installed(&self) -> bool {
        find("chromium").is_some() && find("node").is_some() && PLAYWRIGHT.module().is_some()
    }

    fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        for (program, package) in [("chromium", "chromium"), ("node", "nodejs")] {
            if find(program).is_none() {
                apt.install(package)?;
            }
        }
        PLAYWRIGHT.module().map_or_else(|| PLAYWRIGHT.install(apt), |_| Ok(()))
    }

    fn start(&self, home: Home, _: &Interrupt) -> Result<Running, Error> {
        let there = |name| find(name).ok_or_else(|| Error::Failed(format!("no {name} on the PATH")));
        let (chromium, node) = (there("chromium")?, there("node")?);
        let module = PLAYWRIGHT.module().ok_or_else(|| Error::Failed("npm brought no playwright-core".into()))?;
        let version = version(&output(Command::new(&chromium).arg("--version"))?);
        let version = format!("{version}, playwright-core {}", PLAYWRIGHT.version()?);
        Ok(Running {
            version: version.clone(),
            environment: vec![
                ("PORTCULLIS_TEST_CHROMIUM", chromium.display().to_string()),
                ("PORTCULLIS_TEST_NODE", node.display().to_string()),
                ("PORTCULLIS_TEST_PLAYWRIGHT", module.display().to_string()),
                ("PORTCULLIS_TEST_BROWSER_VERSION", version),
            ],
            _processes: Vec::new(),
            _home: home,
        })
    }
}

/// `chromium 150.0.7871.100` of `Chromium 150.0.7871.100 built on Debian GNU/Linux 12 (bookworm)`.
fn version(line: &str) -> String {
    format!("chromium {}", line.split_whitespace().nth(1).unwrap_or("unknown"))
}
