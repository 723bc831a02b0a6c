//! Connections to one SMTP server.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::{Instant, sleep, timeout};

use super::{InvalidSmtpSettings, SmtpSettings, Tls};

/// Opens connections, and keeps the ones that may be used again.
///
/// Lettre's own pool isn't used: it takes a connection back in whatever state a dropped future left it, and the next mail
/// would take the late reply to the last one for its own.
pub(super) struct Connections {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    hello: ClientId,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

const MAX_IDLE_TIME: Duration = Duration::from_secs(30);
/// How long a server may take for pleasantries.
const GRACE: Duration = Duration::from_secs(2);

impl Connections {
    /// To the server of `settings`, which is told that `domain` calls.
    pub(super) fn new(settings: SmtpSettings, domain: &str) -> Result<Self, InvalidSmtpSettings> {
        let tls = match settings.tls {
            Tls::None => None,
            Tls::Tls | Tls::StartTls => Some(trust(&settings.host).map_err(InvalidSmtpSettings::Tls)?),
        };
        // RFC 5321 §4.1.4 wants a name. The address of this machine is at best a private one, and some relays hang up on
        // those.
        let hello = if domain.contains('.') { ClientId::Domain(domain.to_owned()) } else { ClientId::default() };
        Ok(Self { settings, tls, hello, idle: Mutex::default() })
    }

    /// A connection ready for a mail: greeted, protected and signed in.
    pub(super) async fn take(&self) -> Result<AsyncSmtpConnection, Error> {
        // The most recently used one is the least likely to be stale.
        let newest = self.idle().pop();
        if let Some(Idle { mut connection, .. }) = newest {
            // The server may have hung up meanwhile.
            if timeout(GRACE, connection.test_connected()).await == Ok(true) {
                return Ok(connection);
            }
            // What ended this one has ended the older ones.
            self.idle().clear();
        }
        self.open().await
    }

    /// Keeps a connection that owes no reply.
    pub(super) fn keep(self: &Arc<Self>, connection: AsyncSmtpConnection) {
        self.idle().push(Idle { connection, since: Instant::now() });
        let this = Arc::downgrade(self);
        tokio::spawn(async move {
            sleep(MAX_IDLE_TIME).await;
            if let Some(this) = this.upgrade() {
                this.close_stale();
            }
        });
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Error> {
        let SmtpSettings { host, port, login, .. } = &self.settings;
        let (from_start, later) = match self.settings.tls {
            Tls::Tls => (self.tls.clone(), None),
            Tls::StartTls | Tls::None => (None, self.tls.clone()),
        };
        let server = (host.as_str(), *port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, from_start, None).await?;
        if let Some(tls) = later {
            connection.starttls(tls, &self.hello).await?;
        }
        if let Some((user, password)) = login {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        Ok(connection)
    }

    fn close_stale(&self) {
        let is_stale = |idle: &mut Idle| idle.since.elapsed() >= MAX_IDLE_TIME;
        self.idle().extract_if(.., is_stale).for_each(|idle| close(idle.connection));
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Says goodbye, in the background.
pub(super) fn close(mut connection: AsyncSmtpConnection) {
    tokio::spawn(async move { timeout(GRACE, connection.quit()).await });
}

/// Trusts the operating system's roots, or Mozilla's where there are none. The cryptography is aws-lc-rs, unless the
/// process has installed another rustls provider.
fn trust(host: &str) -> Result<TlsParameters, Error> {
    let roots = if rustls_native_certs::load_native_certs().certs.is_empty() {
        tracing::warn!("this system has no root certificates; SMTP trusts the ones compiled in");
        CertificateStore::WebpkiRoots
    } else {
        CertificateStore::Default
    };
    TlsParameters::builder(host.to_owned()).certificate_store(roots).build()
}
