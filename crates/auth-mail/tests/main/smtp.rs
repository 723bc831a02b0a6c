//! Mail to an SMTP server.

mod real;
mod scripted;
mod server;
mod tls;

use auth_mail::{SmtpMailer, SmtpSettings, Tls};

use crate::given::composer;

/// A mailer that speaks to a port of this machine in the clear.
fn mailer(port: u16) -> SmtpMailer {
    mailer_with(SmtpSettings::new("127.0.0.1", port, Tls::None).unwrap())
}

fn mailer_with(settings: SmtpSettings) -> SmtpMailer {
    SmtpMailer::new(settings, composer()).unwrap()
}
