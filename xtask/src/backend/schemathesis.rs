use super::{Backend, Home, Running};
use crate::apt::Apt;
use crate::error::Error;
use crate::pip::Package;
use crate::process::Interrupt;

/// Schemathesis, which makes up requests from an OpenAPI document and judges the replies by it. The tests run it
/// themselves.
pub(crate) struct Schemathesis;

/// Exactly this: another version makes up other requests.
const PACKAGE: Package = Package { name: "schemathesis", requirement: "schemathesis==4.32.5" };

impl Backend for Schemathesis {
    fn name(&self) -> &'static str {
        "schemathesis"
    }

    fn installed(&self) -> bool {
        PACKAGE.program("schemathesis").is_some()
    }

    fn install(&self, apt: &mut Apt) -> Result<(), Error> {
        PACKAGE.install(apt)
    }

    fn start(&self, home: Home, _: &Interrupt) -> Result<Running, Error> {
        let program = PACKAGE.program("schemathesis");
        let program = program.ok_or_else(|| Error::Failed("schemathesis brought no program of its name".into()))?;
        let version = PACKAGE.version()?;
        Ok(Running {
            version: version.clone(),
            environment: vec![
                ("PORTCULLIS_TEST_SCHEMATHESIS", program.display().to_string()),
                ("PORTCULLIS_TEST_SCHEMATHESIS_VERSION", version),
            ],
            _processes: Vec::new(),
            _home: home,
        })
    }
}
