//! Where a server is, and how to connect to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::ConnectionResult;
use diesel::result::{ConnectionError, DatabaseErrorKind, Error as QueryError};
use diesel_async::AsyncMysqlConnection;
use mysql_async::{Conn, DriverError, Opts, OptsBuilder, SslOpts};
use percent_encoding::percent_decode_str;

use crate::error::Error;

/// A server, a database and who we are to it.
#[derive(Clone)]
pub(super) struct Address {
    options: OptsBuilder,
    tls: Tls,
}

#[derive(Clone)]
enum Tls {
    No,
    /// Until the server says that it has none.
    Perhaps(Arc<AtomicBool>),
    Always(SslOpts),
}

impl Address {
    /// Reads a URL as sqlx does.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |why: String| Error::from(ConnectionError::InvalidConnectionUrl(why));
        let (url, encryption) = take_encryption(url);
        let options = Opts::from_url(&url).map_err(|error| invalid(error.to_string()))?;
        let options = OptsBuilder::from_opts(options)
            // diesel has its own cache.
            .stmt_cache_size(0)
            // An update that changes nothing counts its rows all the same.
            .client_found_rows(true)
            // To the address that was named, not to a socket that the server names.
            .prefer_socket(false);
        let tls = match encryption.mode.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("PREFERRED") => Tls::Perhaps(Arc::new(AtomicBool::new(true))),
            Some("DISABLED") => Tls::No,
            Some("REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY") => Tls::Always(match encryption.root {
                Some(file) if !file.is_file() => return Err(invalid(format!("{} isn't there", file.display()))),
                Some(file) => SslOpts::default().with_root_certs(vec![file.into()]).with_disable_built_in_roots(true),
                None => SslOpts::default(),
            }),
            Some(other) => return Err(invalid(format!("ssl-mode={other} is unknown"))),
        };
        Ok(Self { options, tls })
    }

    /// A connection; what can't be reached or isn't ready is told from what the server refuses.
    pub(super) async fn connect(&self) -> ConnectionResult<AsyncMysqlConnection> {
        let connect = async |tls: Option<SslOpts>| Conn::new(self.options.clone().ssl_opts(tls)).await;
        let connection = match &self.tls {
            Tls::No => connect(None).await,
            Tls::Always(tls) => connect(Some(tls.clone())).await,
            Tls::Perhaps(has_tls) if has_tls.load(Ordering::Relaxed) => {
                let anybody =
                    SslOpts::default().with_danger_accept_invalid_certs(true).with_danger_skip_domain_validation(true);
                match connect(Some(anybody)).await {
                    Err(mysql_async::Error::Driver(DriverError::NoClientSslFlagFromServer)) => {
                        has_tls.store(false, Ordering::Relaxed);
                        connect(None).await
                    }
                    outcome => outcome,
                }
            }
            Tls::Perhaps(_) => connect(None).await,
        };
        AsyncMysqlConnection::try_from(connection.map_err(judged)?).await
    }
}

fn judged(error: mysql_async::Error) -> ConnectionError {
    match error {
        // Too many connections, of all or of this user; out of memory; too many errors before; shutting down.
        mysql_async::Error::Server(said) if matches!(said.code, 1040 | 1203 | 1226 | 1041 | 1129 | 1135 | 1053) => {
            ConnectionError::BadConnection(said.message)
        }
        mysql_async::Error::Server(said) => ConnectionError::CouldntSetupConfiguration(QueryError::DatabaseError(
            DatabaseErrorKind::Unknown,
            Box::new(said.message),
        )),
        mysql_async::Error::Url(error) => ConnectionError::InvalidConnectionUrl(error.to_string()),
        other => ConnectionError::BadConnection(other.to_string()),
    }
}

/// What a URL says about TLS.
#[derive(Debug, Default, PartialEq, Eq)]
struct Encryption {
    mode: Option<String>,
    root: Option<PathBuf>,
}

/// Takes it out of the URL: mysql_async has other names for it. Parameters that only sqlx has are left out.
fn take_encryption(url: &str) -> (String, Encryption) {
    let mut encryption = Encryption::default();
    let url = url.strip_prefix("mariadb://").map_or_else(|| url.to_owned(), |rest| format!("mysql://{rest}"));
    let Some((address, query)) = url.split_once('?') else { return (url, encryption) };
    let mut rest = Vec::new();
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = || percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "sslmode" | "ssl-mode" => encryption.mode = Some(value()),
            "sslca" | "ssl-ca" => encryption.root = Some(value().into()),
            "charset" | "collation" | "statement-cache-capacity" | "timezone" | "time-zone" => {}
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
        let tls = |parameters: &str| {
            let address = Address::parse(&format!("mariadb://ann:s%40@db.example:33/app{parameters}")).unwrap();
            let options = Opts::from(address.options);
            assert_eq!((options.pass(), options.tcp_port()), (Some("s@"), 33));
            address.tls
        };
        assert!(matches!(tls(""), Tls::Perhaps(_)));
        assert!(matches!(tls("?charset=utf8mb4&ssl-mode=preferred"), Tls::Perhaps(_)));
        assert!(matches!(tls("?ssl-mode=DISABLED"), Tls::No));
        let Tls::Always(required) = tls("?sslmode=REQUIRED") else { panic!("by TLS") };
        assert!(!required.accept_invalid_certs() && !required.skip_domain_validation());
        for refused in ["?ssl-mode=never", "?ssl-mode=REQUIRED&ssl-ca=/no/such/file", "?no_such_parameter=1"] {
            assert!(Address::parse(&format!("mysql://db.example/app{refused}")).is_err(), "{refused}");
        }
    }
}
