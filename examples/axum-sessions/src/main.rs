//! Starts the application, or makes somebody an administrator.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use axum_sessions::{app, notes, profile};
use portcullis::adapter::SystemEntropy;
use portcullis::domain::{Context, Email, Role};
use portcullis::flow::{Actor, roles, users};
use portcullis::keys::{KeyRing, Pepper};
use portcullis::mail::{Composer, FileMailer, Sender, Templates};
use portcullis::port::Entropy;
use portcullis::sqlx::{SqliteStore, sqlite};
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings, workers};
use sqlx::SqlitePool;
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let address = env::var("AUTH_LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());

    // One pool of the application's own, for its tables and for Portcullis's.
    // Made by us, since SQLite would let everybody read it.
    match owners(Path::new("axum-sessions.db")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let options = sqlite::options("sqlite://axum-sessions.db")?;
    let pool = SqlitePool::connect_with(options).await?;
    let store = SqliteStore::new(pool.clone(), pool.clone());
    store.migrate().await?;
    notes::migrate(&pool).await?;
    profile::migrate(&pool).await?;
    let store = store.with_participant(profile::Profiles);

    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => serve(TcpListener::bind(address).await?, store, pool).await,
        ["admin", email] => make_admin(store, email).await,
        _ => Err("usage: axum-sessions [admin EMAIL]".into()),
    }
}

async fn serve(listener: TcpListener, store: SqliteStore, pool: SqlitePool) -> Outcome<()> {
    let public_url = format!("http://{}", listener.local_addr()?);
    let parts = Parts::new(Arc::new(store), ring()?, Settings::new(&public_url))?;
    let sender = Sender::parse("Notes <no-reply@notes.example>")?;
    let mailer = FileMailer::new("mail", Composer::new(sender, Templates::default(), parts.clock.clone()))?;
    let auth = Auth::start(parts).await?;
    let worker = auth.clone();
    tokio::spawn(async move { workers::run(&worker, &mailer, std::future::pending()).await });

    // Development: nobody else's page may ask, under whatever name.
    let settings = HttpSettings { loopback_only: true, ..HttpSettings::default() };
    let app = app::router(AuthHttp::new(auth, [Profile::sessions()], settings)?, pool);
    #[expect(clippy::print_stdout, reason = "for whoever started it")]
    {
        println!("listening on {public_url}");
    }
    // With the peers' addresses: the throttles count by them.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

/// As the operator, who needs no permission of anybody's.
async fn make_admin(store: SqliteStore, email: &str) -> Outcome<()> {
    let auth = Auth::start(Parts::new(Arc::new(store), ring()?, Settings::new("http://127.0.0.1:3000"))?).await?;
    let email = Email::parse(email).map_err(|_| "no e-mail address")?;
    let user = users::find(&auth, Actor::Operator, &email, &Context::default()).await?;
    Ok(roles::grant(&auth, Actor::Operator, user.id, Role::admin(), &Context::default()).await?)
}

/// All keys, derived from the pepper: a secret that is kept apart from the database, here in a file that is made once.
fn ring() -> Outcome<KeyRing> {
    let path = Path::new("axum-sessions.pepper");
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
