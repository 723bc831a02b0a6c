//! Starts the application on the PostgreSQL database at `DATABASE_URL`.

use std::sync::Arc;
use std::{env, future};

use portcullis::diesel::PostgresStore;
use portcullis::diesel::postgres::{self, Pool};
use portcullis::keys::{KeyRing, Pepper};
use portcullis::mail::{Composer, ConsoleMailer, Sender, Templates};
use portcullis::{Auth, AuthHttp, HttpSettings, Parts, Profile, Settings, workers};
use rocket::tokio;
use rocket_diesel_postgres::profiles::{self, Profiles};

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = env::var("DATABASE_URL").map_err(|_| "DATABASE_URL, such as postgres://localhost/people, isn't set")?;
    let pepper = env::var("PEPPER").map_err(|_| "PEPPER, such as `openssl rand -base64 32` prints, isn't set")?;

    // One pool of the application's own, for its table and for Portcullis's.
    let pool = Pool::builder(postgres::manager(&url)?).max_size(16).build()?;
    let store = PostgresStore::new(pool.clone());
    store.migrate().await?;
    profiles::migrate(&pool).await?;
    let store = store.with_participant(Profiles);

    // Where Rocket will listen.
    let rocket = rocket::build();
    let config = rocket::Config::try_from(rocket.figment())?;
    let public_url = format!("http://{}:{}", config.address, config.port);
    let ring = KeyRing::new(&Pepper::new(pepper)?, &[]);
    let parts = Parts::new(Arc::new(store), ring, Settings::new(&public_url))?;
    let sender = Sender::parse("People <no-reply@people.example>")?;
    let mailer = ConsoleMailer::new(Composer::new(sender, Templates::default(), parts.clock.clone()));
    let auth = Auth::start(parts).await?;
    let worker = auth.clone();
    tokio::spawn(async move { workers::run(&worker, &mailer, future::pending()).await });

    // Development: nobody else's page may ask, under whatever name.
    let settings = HttpSettings { loopback_only: true, ..HttpSettings::default() };
    let auth = AuthHttp::new(auth, [Profile::tokens()], settings)?;
    rocket_diesel_postgres::rocket(rocket, &auth, pool).launch().await?;
    Ok(())
}
