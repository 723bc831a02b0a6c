//! Starts the application.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::{fs, future};

use portcullis::adapter::SystemEntropy;
use portcullis::keys::{KeyRing, Pepper};
use portcullis::mail::{Composer, FileMailer, Sender, Templates};
use portcullis::port::Entropy;
use portcullis::sqlx::SqliteStore;
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings, workers};
use rocket::tokio;
use rocket_sqlx_sqlite::app;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[rocket::main]
async fn main() -> Outcome<()> {
    // Made by us, since SQLite would let everybody read it.
    match owners(Path::new("rocket-sqlx-sqlite.db")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let store = SqliteStore::connect("sqlite://rocket-sqlx-sqlite.db").await?;
    store.migrate().await?;

    // Where Rocket will listen.
    let rocket = rocket::build();
    let config = rocket::Config::try_from(rocket.figment())?;
    let public_url = format!("http://{}:{}", config.address, config.port);
    let parts = Parts::new(Arc::new(store), ring()?, Settings::new(&public_url))?;
    let sender = Sender::parse("Guest book <no-reply@book.example>")?;
    let mailer = FileMailer::new("mail", Composer::new(sender, Templates::default(), parts.clock.clone()))?;
    let auth = Auth::start(parts).await?;
    let worker = auth.clone();
    tokio::spawn(async move { workers::run(&worker, &mailer, future::pending()).await });

    // Development: nobody else's page may ask, under whatever name.
    let settings = HttpSettings { loopback_only: true, ..HttpSettings::default() };
    let auth = AuthHttp::new(auth, [Profile::sessions()], settings)?;
    app::rocket(rocket, &auth).launch().await?;
    Ok(())
}

/// All keys, derived from the pepper: a secret that is kept apart from the database, here in a file that is made once.
fn ring() -> Outcome<KeyRing> {
    let path = Path::new("rocket-sqlx-sqlite.pepper");
    match owners(path) {
        Ok(mut file) => {
            let mut bytes = [0; 32];
            SystemEntropy.fill(&mut bytes);
            file.write_all(&bytes)?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    Ok(KeyRing::new(&Pepper::new(fs::read(path)?)?, &[]))
}

/// A new file that nobody but its owner may read.
fn owners(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
