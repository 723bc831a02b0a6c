use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// Why a developer command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("stopped by signal {0}")]
    Interrupted(i32),
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("{0}")]
    Failed(String),
}

impl Error {
    /// For `map_err`: says what was being done when the operating system refused.
    pub(crate) fn io(what: impl Display) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.to_string(), source }
    }

    /// 128 + signal after an interruption, as shells have it; else 1.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Interrupted(signal) => u8::try_from(128 + signal).map_or(ExitCode::FAILURE, ExitCode::from),
            Self::Io { .. } | Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}
