//! The mailer that the configuration names.

use std::sync::Arc;

#[cfg(feature = "smtp")]
use auth_core::adapter::SystemClock;
use auth_core::port::{Clock, MailError, Mailer};
#[cfg(feature = "ses")]
use auth_mail::SesMailer;
#[cfg(feature = "smtp")]
use auth_mail::SmtpMailer;
use auth_mail::{Composer, ConsoleMailer, FileMailer, Tee, Templates};

use crate::Failure;
use crate::config::{Mail, Via};

/// Makes the mailer; for a folder, the folder too.
pub(super) async fn open(mail: Mail, clock: Arc<dyn Clock>) -> Result<Arc<dyn Mailer>, Failure> {
    let composer = Composer::new(mail.sender, Templates::default(), clock);
    Ok(match mail.via {
        #[cfg(feature = "smtp")]
        Via::Smtp(settings) => Arc::new(SmtpMailer::new(settings, composer)?),
        #[cfg(feature = "ses")]
        Via::Ses(settings) => Arc::new(SesMailer::new(settings, composer).await?),
        Via::Local { console, folder } => {
            let files = folder.map(|folder| FileMailer::new(folder, composer.clone())).transpose()?;
            match (console, files) {
                (true, Some(files)) => Arc::new(Tee::new(Arc::new(ConsoleMailer::new(composer)), Arc::new(files))),
                (_, None) => Arc::new(ConsoleMailer::new(composer)),
                (false, Some(files)) => Arc::new(files),
            }
        }
    })
}

/// Whether the server that takes mail does; `None` where there is none, or none that can be asked without sending.
pub(crate) async fn check(mail: &Mail) -> Option<Result<(), MailError>> {
    match &mail.via {
        #[cfg(feature = "smtp")]
        Via::Smtp(settings) => {
            let composer = Composer::new(mail.sender.clone(), Templates::default(), Arc::new(SystemClock::new()));
            let mailer = SmtpMailer::new(settings.clone(), composer);
            Some(match mailer {
                Ok(mailer) => mailer.check().await,
                Err(error) => Err(MailError::Transient(error.to_string())),
            })
        }
        #[cfg(feature = "ses")]
        Via::Ses(_) => None,
        Via::Local { .. } => None,
    }
}
