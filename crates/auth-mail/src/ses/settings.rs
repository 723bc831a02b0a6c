//! Which SES, and how to use it.

use std::fmt;
use std::time::Duration;

use url::{Host, Url};
use zeroize::Zeroizing;

/// Which SES to use, and how. What isn't set here is found the usual AWS way.
#[derive(Debug, Clone)]
pub struct SesSettings {
    pub(super) region: Option<String>,
    pub(super) access_key: Option<(String, SesSecretKey)>,
    pub(super) endpoint: Option<String>,
    pub(super) configuration_set: Option<String>,
    pub(super) timeout: Duration,
}

/// The secret half of an AWS access key. Doesn't print, is erased when dropped.
#[derive(Clone)]
pub struct SesSecretKey(Zeroizing<String>);

/// Settings that can't work, or must not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSesSettings {
    /// Not what SES calls a configuration set.
    #[error("a configuration set's name has 1 to 64 letters, digits, - and _, unlike {0:?}")]
    ConfigurationSet(String),
    /// Neither `https://…` nor `http://…`.
    #[error("{0:?} is no address of an SES endpoint")]
    Endpoint(String),
    /// Mail and signature would cross a network in the clear.
    #[error("an SES endpoint without TLS is for loopback hosts only, and {0} isn't one: use https")]
    Unprotected(String),
    /// Zero, or so long that a mail's lease could end before the attempt does.
    #[error("the SES timeout must be more than 0 and at most 20 seconds, not {0:?}")]
    Timeout(Duration),
    /// AWS has many, and SES is set up in one of them.
    #[error("no AWS region: set AWS_REGION in the process's environment, or region in the AWS profile")]
    NoRegion,
    /// No certificate would be trusted.
    #[error("this system has no root certificates: install its ca-certificates, or set SSL_CERT_FILE")]
    NoRoots,
}

impl SesSettings {
    /// How long sending may take unless [set](Self::timeout).
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    /// The longest timeout: attempts must end well before the outbox's lease of 30 s does, or two nodes send the same
    /// mail.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(20);

    /// All as the environment has it, without configuration set.
    pub const fn new() -> Self {
        let timeout = Self::DEFAULT_TIMEOUT;
        Self { region: None, access_key: None, endpoint: None, configuration_set: None, timeout }
    }

    /// Sends by the rules of this configuration set: its events, its suppression list, its dedicated addresses.
    ///
    /// # Errors
    /// [`InvalidSesSettings::ConfigurationSet`] when SES has no such names.
    pub fn configuration_set(mut self, name: impl Into<String>) -> Result<Self, InvalidSesSettings> {
        let name = name.into();
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !(1..=64).contains(&name.len()) || !is_name(&name) {
            return Err(InvalidSesSettings::ConfigurationSet(name));
        }
        self.configuration_set = Some(name);
        Ok(self)
    }

    /// The region where SES is set up, such as `eu-central-1`.
    #[must_use]
    pub fn region(mut self, name: impl Into<String>) -> Self {
        self.region = Some(name.into());
        self
    }

    /// Signs with this access key.
    #[must_use]
    pub fn access_key(mut self, id: impl Into<String>, secret: SesSecretKey) -> Self {
        self.access_key = Some((id.into(), secret));
        self
    }

    /// Asks this endpoint, such as a VPC's, instead of the region's own.
    ///
    /// # Errors
    /// [`InvalidSesSettings`] when that is no address, or in the clear to another machine.
    pub fn endpoint(mut self, url: impl Into<String>) -> Result<Self, InvalidSesSettings> {
        let url = url.into();
        protected(&url)?;
        self.endpoint = Some(url);
        Ok(self)
    }

    /// How long sending one mail may take, finding credentials and connecting included.
    ///
    /// # Errors
    /// [`InvalidSesSettings::Timeout`] when that is nothing, or more than [`MAX_TIMEOUT`](Self::MAX_TIMEOUT).
    pub fn timeout(mut self, timeout: Duration) -> Result<Self, InvalidSesSettings> {
        if timeout.is_zero() || timeout > Self::MAX_TIMEOUT {
            return Err(InvalidSesSettings::Timeout(timeout));
        }
        self.timeout = timeout;
        Ok(self)
    }
}

impl Default for SesSettings {
    fn default() -> Self {
        Self::new()
    }
}

/// Refuses an endpoint that would be spoken to in the clear over a network.
pub(super) fn protected(endpoint: &str) -> Result<(), InvalidSesSettings> {
    let invalid = || InvalidSesSettings::Endpoint(endpoint.to_owned());
    let url = Url::parse(endpoint).map_err(|_| invalid())?;
    let host = url.host().ok_or_else(invalid)?;
    let is_loopback = match &host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback => Ok(()),
        "http" => Err(InvalidSesSettings::Unprotected(host.to_string())),
        _ => Err(invalid()),
    }
}

impl SesSecretKey {
    /// From its text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SesSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SesSecretKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_unprotected_to_this_machine_only() {
        for url in ["http://localhost:5000", "http://127.0.0.1", "http://[::1]:5000/", "https://vpce-1.example.com"] {
            assert!(SesSettings::new().endpoint(url).is_ok(), "{url}");
        }
        for url in ["http://ses.example.com", "http://localhost.example.com", "http://10.0.0.1", "http://0.0.0.0:5000"]
        {
            let refused = SesSettings::new().endpoint(url);
            assert!(matches!(refused, Err(InvalidSesSettings::Unprotected(_))), "{url}");
        }
        for url in ["", "ses.example.com", "localhost:5000", "ftp://localhost", "https://", "/v2"] {
            let refused = SesSettings::new().endpoint(url);
            assert!(matches!(refused, Err(InvalidSesSettings::Endpoint(_))), "{url:?}");
        }
    }

    #[test]
    fn refuses_what_names_no_configuration_set() {
        for name in ["", "a b", "a\r\nb", "ä", "a/b", &"a".repeat(65)] {
            let refused = SesSettings::new().configuration_set(name);
            assert!(matches!(refused, Err(InvalidSesSettings::ConfigurationSet(_))), "{name:?}");
        }
        assert!(SesSettings::new().configuration_set("Portcullis_mail-2").is_ok());
    }

    #[test]
    fn an_attempt_ends_before_its_lease() {
        assert!(SesSettings::new().timeout(Duration::ZERO).is_err());
        assert!(SesSettings::new().timeout(Duration::from_secs(21)).is_err());
        assert!(SesSettings::new().timeout(Duration::from_secs(20)).is_ok());
    }

    // SC1: the secret key doesn't print.
    #[test]
    fn sc1_debug_keeps_the_secret_key() {
        let settings = SesSettings::new().access_key("AKIDEXAMPLE", SesSecretKey::new("hunter2".to_owned()));
        let printed = format!("{settings:?}");
        assert!(printed.contains("SesSecretKey(…)") && !printed.contains("hunter2"), "{printed}");
    }
}
