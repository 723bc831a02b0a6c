//! Starts the application on the PostgreSQL database at `DATABASE_URL`.

use std::env;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum_diesel_postgres::{notes, router};
use portcullis::diesel::PostgresStore;
use portcullis::diesel::postgres::{self, Pool};
use portcullis::keys::{KeyRing, Pepper};
use portcullis::mail::{Composer, ConsoleMailer, Sender, Templates};
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings, workers};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let url = env::var("DATABASE_URL").map_err(|_| "DATABASE_URL, such as postgres://localhost/notes, isn't set")?;
    let pepper = env::var("PEPPER").map_err(|_| "PEPPER, such as `openssl rand -base64 32` prints, isn't set")?;
    let listener = TcpListener::bind(env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned())).await?;
    let public_url = format!("http://{}", listener.local_addr()?);

    // One pool of the application's own, for its tables and for Portcullis's. The manager's connections don't wait for ever.
    let pool = Pool::builder(postgres::manager(&url)?).max_size(16).build()?;
    let store = PostgresStore::new(pool.clone());
    store.migrate().await?;
    notes::migrate(&pool).await?;

    let ring = KeyRing::new(&Pepper::new(pepper)?, &[]);
    let parts = Parts::new(Arc::new(store), ring, Settings::new(&public_url))?;
    let sender = Sender::parse("Notes <no-reply@notes.example>")?;
    let mailer = ConsoleMailer::new(Composer::new(sender, Templates::default(), parts.clock.clone()));
    let auth = Auth::start(parts).await?;
    let worker = auth.clone();
    tokio::spawn(async move { workers::run(&worker, &mailer, std::future::pending()).await });

    // Development: nobody else's page may ask, under whatever name.
    let settings = HttpSettings { loopback_only: true, ..HttpSettings::default() };
    let app = router(AuthHttp::new(auth, [Profile::tokens()], settings)?, pool);
    #[expect(clippy::print_stdout, reason = "for whoever started it")]
    {
        println!("listening on {public_url}");
    }
    // With the peers' addresses: the throttles count by them.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
