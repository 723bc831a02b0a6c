//! Where a server is, and how to connect to it.

use diesel::ConnectionResult;
use diesel::result::{ConnectionError, DatabaseErrorKind, Error as QueryError};
use diesel_async::AsyncPgConnection;
use percent_encoding::percent_decode_str;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{self, Trust};
use crate::error::Error;

/// A server, a database and who we are to it.
#[derive(Clone)]
pub(super) struct Address {
    config: Config,
    /// `None`: not by TLS.
    tls: Option<MakeRustlsConnect>,
}

impl Address {
    /// Reads a URL as libpq and sqlx do.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |why: String| ConnectionError::InvalidConnectionUrl(why);
        let (url, encryption) = take_encryption(url);
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| invalid(cause(&error)))?;
        let trust = match encryption.mode.as_deref() {
            None | Some("allow" | "prefer") => Some((SslMode::Prefer, Trust::Anybody)),
            Some("disable") => None,
            Some("require" | "verify-ca" | "verify-full") => match encryption.root {
                Some(file) => Some((SslMode::Require, Trust::File(file))),
                None => Some((SslMode::Require, Trust::System)),
            },
            Some(other) => return Err(invalid(format!("sslmode={other} is unknown")).into()),
        };
        config.ssl_mode(trust.as_ref().map_or(SslMode::Disable, |(mode, _)| *mode));
        let limits = "-c lock_timeout=2s -c statement_timeout=5s -c idle_in_transaction_session_timeout=10s";
        // Ours last, so that they count.
        let options = config.get_options().map_or_else(|| limits.to_owned(), |given| format!("{given} {limits}"));
        config.options(options);
        let tls = trust.map(|(_, trust)| tls::connector(&trust)).transpose().map_err(Error::Other)?;
        Ok(Self { config, tls })
    }

    /// A connection; what can't be reached or isn't ready is told from what the server refuses.
    pub(super) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await.map_err(|error| judged(&error))?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(|error| judged(&error))?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        }
    }
}

fn judged(error: &tokio_postgres::Error) -> ConnectionError {
    match error.as_db_error() {
        // Classes: connection exception, insufficient resources, operator intervention (starting up, shutting down).
        Some(said) if ["08", "53", "57"].iter().any(|class| said.code().code().starts_with(class)) => {
            ConnectionError::BadConnection(said.message().to_owned())
        }
        Some(said) => ConnectionError::CouldntSetupConfiguration(QueryError::DatabaseError(
            DatabaseErrorKind::Unknown,
            Box::new(said.message().to_owned()),
        )),
        None => ConnectionError::BadConnection(cause(error)),
    }
}

/// An error with what is behind it, in one line: the first alone says little.
fn cause(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What a URL says about TLS.
#[derive(Debug, Default, PartialEq, Eq)]
struct Encryption {
    mode: Option<String>,
    root: Option<String>,
}

/// Takes it out of the URL: tokio-postgres knows fewer modes and no files. Parameters that only sqlx has are left out.
fn take_encryption(url: &str) -> (String, Encryption) {
    let mut encryption = Encryption::default();
    let Some((address, query)) = url.split_once('?') else { return (url.to_owned(), encryption) };
    let mut rest = Vec::new();
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = || Some(percent_decode_str(value).decode_utf8_lossy().into_owned());
        match name {
            "sslmode" | "ssl-mode" => encryption.mode = value(),
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => encryption.root = value(),
            "statement-cache-capacity" => {}
            _ => rest.push(parameter),
        }
    }
    let url = if rest.is_empty() { address.to_owned() } else { format!("{address}?{}", rest.join("&")) };
    (url, encryption)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_decide_about_tls() {
        for (parameters, mode, by_tls) in [
            ("", SslMode::Prefer, true),
            ("?sslmode=disable", SslMode::Disable, false),
            ("?application_name=x&sslmode=prefer", SslMode::Prefer, true),
            ("?ssl-mode=disable&statement-cache-capacity=10", SslMode::Disable, false),
        ] {
            let address = Address::parse(&format!("postgres://ann:s%40@db.example/app{parameters}")).unwrap();
            assert_eq!((address.config.get_ssl_mode(), address.tls.is_some()), (mode, by_tls), "{parameters}");
            assert_eq!(address.config.get_password(), Some(&b"s@"[..]));
        }
        for refused in ["?sslmode=never", "?sslmode=require&sslrootcert=/no/such/file", "?no_such_parameter=1"] {
            assert!(Address::parse(&format!("postgres://db.example/app{refused}")).is_err(), "{refused}");
        }
    }

    #[test]
    fn our_limits_come_after_the_urls() {
        let address = Address::parse("postgres://db.example/app?options=-c%20lock_timeout%3D9s").unwrap();
        let options = address.config.get_options().unwrap();
        assert!(options.starts_with("-c lock_timeout=9s -c lock_timeout=2s"), "{options}");
    }
}
