//! The connection to SES, set up the way AWS's own programs are.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::{Builder, Credentials};
use aws_types::service_config::ServiceConfigKey;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use super::settings::protected;
use super::{InvalidSesSettings, SesSettings};

/// A client for the SES of `settings`. Where they are silent, the environment and AWS's files speak.
pub(super) async fn connect(settings: &SesSettings) -> Result<Client, InvalidSesSettings> {
    // The SDK trusts the operating system's roots, and would tell of there being none with the first mail.
    if rustls_native_certs::load_native_certs().certs.is_empty() {
        return Err(InvalidSesSettings::NoRoots);
    }
    let shared = unlogged(load(settings)).await;
    if shared.region().is_none() {
        return Err(InvalidSesSettings::NoRegion);
    }
    let mut config = Builder::from(&shared).retry_config(RetryConfig::disabled());
    if let Some(endpoint) = settings.endpoint.clone().or_else(|| endpoint(&shared)) {
        protected(&endpoint)?;
        config = config.endpoint_url(endpoint);
    }
    Ok(Client::from_conf(config.build()))
}

/// Runs `work` with nobody listening to its events. Those of the SDK hold answers, which quote mail, values of profiles,
/// and whole requests where the environment says `LOG_SIGNABLE_BODY`.
pub(super) async fn unlogged<T>(work: impl Future<Output = T>) -> T {
    work.with_subscriber(Dispatch::none()).await
}

async fn load(settings: &SesSettings) -> SdkConfig {
    // Pinned: a later version's behaviour is not what the tests have seen.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
    if let Some(region) = settings.region.clone() {
        loader = loader.region(Region::new(region));
    }
    if let Some((id, secret)) = &settings.access_key {
        loader = loader.credentials_provider(Credentials::new(id, secret.expose(), None, None, "SesSettings"));
    }
    loader.load().await
}

/// The endpoint that the environment or the profile names, for SES or for all services, by the rules of the SDK.
fn endpoint(shared: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("SESv2").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = shared.service_config().zip(key.ok()).and_then(|(config, key)| config.load_config(key));
    own.or_else(|| shared.endpoint_url().map(str::to_owned))
}
