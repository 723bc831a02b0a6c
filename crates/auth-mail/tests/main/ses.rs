//! Mail through Amazon SES.

mod chain;
mod real;
mod scripted;
mod server;

use auth_mail::{SesMailer, SesSecretKey, SesSettings};

use crate::given::composer;

/// Settings that ask this endpoint, and nothing of the environment.
fn settings(endpoint: &str) -> SesSettings {
    let settings = SesSettings::new().region("eu-central-1").endpoint(endpoint).unwrap();
    settings.access_key("AKIDEXAMPLE", SesSecretKey::new("hunter2".to_owned()))
}

async fn mailer(settings: SesSettings) -> SesMailer {
    SesMailer::new(settings, composer()).await.unwrap()
}
