//! An application with accounts, on a store of its own.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use axum::Router;
use axum::routing::get;
use custom_store::RedbStore;
use portcullis::adapter::SystemEntropy;
use portcullis::axum::CurrentUser;
use portcullis::keys::{KeyRing, Pepper};
use portcullis::mail::{Composer, FileMailer, Sender, Templates};
use portcullis::port::Entropy;
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings, workers};
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let listener = TcpListener::bind(env::var("AUTH_LISTEN").as_deref().unwrap_or("127.0.0.1:3000")).await?;
    let public_url = format!("http://{}", listener.local_addr()?);

    // redb takes an empty file for a new database. Made by us, since everybody could read one that redb makes.
    new_file(Path::new("custom-store.redb"))?;
    let store = RedbStore::open("custom-store.redb")?;
    let parts = Parts::new(Arc::new(store), ring()?, Settings::new(&public_url))?;
    let composer =
        Composer::new(Sender::parse("Acme <no-reply@acme.example>")?, Templates::default(), parts.clock.clone());
    let mailer = FileMailer::new("mail", composer)?;
    let auth = Auth::start(parts).await?;
    let worker = auth.clone();
    tokio::spawn(async move { workers::run(&worker, &mailer, std::future::pending()).await });

    // Development: nobody else's page may ask, under whatever name.
    let settings = HttpSettings { loopback_only: true, ..HttpSettings::default() };
    let auth = AuthHttp::new(auth, [Profile::tokens()], settings)?;
    let app = Router::new()
        .route("/account", get(async |user: CurrentUser| format!("You are {}", user.email)))
        .merge(portcullis::axum::router(&auth))
        .with_state(auth);
    #[expect(clippy::print_stdout, reason = "for whoever started it")]
    {
        println!("listening on {public_url}");
    }
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

/// All keys, derived from the pepper: a secret that is kept apart from the database, here in a file that is made once.
fn ring() -> Outcome<KeyRing> {
    let path = Path::new("custom-store.pepper");
    if let Some(mut file) = new_file(path)? {
        let mut bytes = [0; 32];
        SystemEntropy.fill(&mut bytes);
        file.write_all(&bytes)?;
    }
    Ok(KeyRing::new(&Pepper::new(fs::read(path)?)?, &[]))
}

/// A new file that nobody but its owner may read; `None` where there is one already.
fn new_file(path: &Path) -> io::Result<Option<fs::File>> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        file => file.map(Some),
    }
}
