//! Which SMTP server, and how to reach it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use zeroize::Zeroizing;

/// Which SMTP server to use, and how.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) login: Option<(String, SmtpPassword)>,
    pub(super) timeout: Duration,
}

/// How the connection is protected.
///
/// The certificate must be valid for the host and lead to a root that the operating system trusts (so a company's own
/// certificate authority works once it is installed there; `SSL_CERT_FILE` and `SSL_CERT_DIR` override), or, on a system
/// without any, as in a bare container, to one of Mozilla's, which are compiled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte, usually on port 465. To be preferred (RFC 8314 §3.3).
    Tls,
    /// Begins in the clear and changes to TLS before anything is sent, usually on port 587. A server that doesn't
    /// offer it is not used.
    StartTls,
    /// In the clear: to this machine only.
    None,
}

/// The password for the SMTP server. Doesn't print, is erased when dropped.
#[derive(Clone)]
pub struct SmtpPassword(Zeroizing<String>);

/// Settings that can't work, or must not.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSmtpSettings {
    /// Neither a host name nor an IP address.
    #[error("{0:?} is neither a host name nor an IP address")]
    Host(String),
    /// Mail and password would cross a network in the clear.
    #[error("SMTP without TLS is for loopback hosts only, and {0} isn't one: use starttls or tls")]
    Unprotected(String),
    /// Zero, or so long that a mail's lease could end before the attempt does.
    #[error("the SMTP timeout must be more than 0 and at most 20 seconds, not {0:?}")]
    Timeout(Duration),
    /// TLS can't be set up on this machine.
    #[error("TLS for SMTP can't be set up")]
    Tls(#[source] lettre::transport::smtp::Error),
}

impl SmtpSettings {
    /// How long sending may take unless [set](Self::timeout).
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    /// The longest timeout: attempts must end well before the outbox's lease of 30 s does, or two nodes send the same
    /// mail.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(20);

    /// The server `host` (a name, or an IP address with or without brackets), without sign-in.
    ///
    /// # Errors
    /// [`InvalidSmtpSettings`] when that is no host, or isn't this machine although the connection is unprotected.
    pub fn new(host: &str, port: u16, tls: Tls) -> Result<Self, InvalidSmtpSettings> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_name = |text: &str| {
            text.len() <= 253
                && text.split('.').all(|label| (1..=63).contains(&label.len()))
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        };
        let ip = bare.parse::<IpAddr>().ok();
        if ip.is_none() && !is_name(bare) {
            return Err(InvalidSmtpSettings::Host(host.to_owned()));
        }
        let is_loopback = ip.map_or_else(|| bare.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback());
        if tls == Tls::None && !is_loopback {
            return Err(InvalidSmtpSettings::Unprotected(host.to_owned()));
        }
        Ok(Self { host: bare.to_owned(), port, tls, login: None, timeout: Self::DEFAULT_TIMEOUT })
    }

    /// Signs in as `user`.
    #[must_use]
    pub fn login(mut self, user: impl Into<String>, password: SmtpPassword) -> Self {
        self.login = Some((user.into(), password));
        self
    }

    /// How long sending one mail may take, connecting included.
    ///
    /// # Errors
    /// [`InvalidSmtpSettings::Timeout`] when that is nothing, or more than [`MAX_TIMEOUT`](Self::MAX_TIMEOUT).
    pub fn timeout(mut self, timeout: Duration) -> Result<Self, InvalidSmtpSettings> {
        if timeout.is_zero() || timeout > Self::MAX_TIMEOUT {
            return Err(InvalidSmtpSettings::Timeout(timeout));
        }
        self.timeout = timeout;
        Ok(self)
    }
}

impl SmtpPassword {
    /// From its text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SmtpPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_unprotected_to_this_machine_only() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]"] {
            assert!(SmtpSettings::new(host, 25, Tls::None).is_ok(), "{host}");
        }
        for host in ["smtp.example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0", "::", "127.0.0.1.example.com"]
        {
            let refused = SmtpSettings::new(host, 25, Tls::None);
            assert!(matches!(refused, Err(InvalidSmtpSettings::Unprotected(_))), "{host}");
            assert!(SmtpSettings::new(host, 25, Tls::StartTls).is_ok(), "{host}");
        }
    }

    #[test]
    fn refuses_what_is_no_host() {
        for host in ["", "smtp://example.com", "example.com:25", "a b", "a\r\nb", "user@example.com", "a..b"] {
            let refused = SmtpSettings::new(host, 25, Tls::Tls);
            assert!(matches!(refused, Err(InvalidSmtpSettings::Host(_))), "{host:?}");
        }
    }

    #[test]
    fn an_attempt_ends_before_its_lease() {
        let settings = || SmtpSettings::new("localhost", 25, Tls::None).unwrap();
        assert!(settings().timeout(Duration::ZERO).is_err());
        assert!(settings().timeout(Duration::from_secs(21)).is_err());
        assert!(settings().timeout(Duration::from_secs(20)).is_ok());
    }

    // SC1: the password doesn't print.
    #[test]
    fn sc1_debug_keeps_the_password() {
        let settings = SmtpSettings::new("localhost", 25, Tls::None).unwrap();
        let printed = format!("{:?}", settings.login("ann", SmtpPassword::new("hunter2".to_owned())));
        assert!(printed.contains("SmtpPassword(…)") && !printed.contains("hunter2"), "{printed}");
    }
}
