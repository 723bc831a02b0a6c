//! An intranet where everybody takes a second step: see the README.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{env, io};

use portcullis::adapter::SystemEntropy;
use portcullis::keys::{KeyRing, Pepper};
use portcullis::mail::{Composer, FileMailer, Sender, Templates};
use portcullis::port::Entropy;
use portcullis::sqlx::SqliteStore;
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings, workers};
use tokio::net::TcpListener;

mod intranet;
mod staff;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let listener = TcpListener::bind(env::var("AUTH_LISTEN").as_deref().unwrap_or("127.0.0.1:3000")).await?;
    let public_url = format!("http://{}", listener.local_addr()?);

    // Each start begins anew. Accounts that stay need a file, and a pepper that is kept apart from it: see `axum-sessions`.
    let store = SqliteStore::connect("sqlite::memory:").await?;
    store.migrate().await?;
    let mut pepper = [0; 32];
    SystemEntropy.fill(&mut pepper);
    let ring = KeyRing::new(&Pepper::new(pepper)?, &[]);
    let parts = Parts::new(Arc::new(store), ring, Settings::new(&public_url))?;
    let sender = Sender::parse("Intranet <no-reply@example.com>")?;
    let mailer = FileMailer::new("mail", Composer::new(sender, Templates::default(), parts.clock.clone()))?;
    let auth = Auth::start(Parts { policy: Arc::new(staff::Staff), ..parts }).await?;
    let worker = auth.clone();
    tokio::spawn(async move { workers::run(&worker, &mailer, std::future::pending()).await });

    // Development: nobody else's page may ask, under whatever name.
    let settings = HttpSettings { loopback_only: true, ..HttpSettings::default() };
    let app = intranet::router(AuthHttp::new(auth, [Profile::two_step()], settings)?);
    #[expect(clippy::print_stdout, reason = "for whoever started it")]
    {
        println!("listening on {public_url}");
    }
    // With the peers' addresses: the throttles count by them.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
