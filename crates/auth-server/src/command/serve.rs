//! `serve`: answers requests until it is told to stop.

use std::net::SocketAddr;
use std::time::Duration;

use auth_core::workers;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::output::say;
use crate::Failure;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::service::{self, Service};

/// Answers requests, sends mail and cleans, until SIGTERM or SIGINT.
///
/// Then it takes no more connections, finishes the requests and mails under way, and ends.
pub(crate) async fn run(config: Config) -> Result<(), Failure> {
    let listener = bind(config.listen).await?;
    let bound = listener.local_addr()?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let metrics = metrics_listener.as_ref().map(|_| Metrics::new(&config.profiles));
    if !config.throttle {
        tracing::warn!("AUTH_THROTTLE=danger_off: passwords can be guessed as fast as they can be hashed");
    }
    let web = config.web;
    let Service { auth, http, mailer, store } = Service::start(config, bound, metrics.as_ref()).await?;

    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping");
        stop.send_replace(true);
    });
    let workers = {
        let (auth, stopped) = (auth, until(stopped.clone()));
        tokio::spawn(async move { workers::run(&auth, &*mailer, stopped).await })
    };

    let mut router = service::web::open(web, &http).await?;
    if let (Some(metrics), Some(listener)) = (metrics, metrics_listener) {
        router = metrics.counted(router);
        say(&format!("metrics on http://{}/metrics", listener.local_addr()?));
        tokio::spawn(service::serve_few(listener, metrics.router(store), until(stopped.clone())));
    }
    say(&format!("listening on http://{bound}"));
    service::serve(listener, router, until(stopped)).await;
    if tokio::time::timeout(MAIL_GRACE, workers).await.is_err() {
        tracing::warn!("a mail was still being sent; it will be sent again");
    }
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    Ok(TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?)
}

/// How long a mail under way may take to be sent.
const MAIL_GRACE: Duration = Duration::from_secs(10);

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody is left to stop us, which is as good as being told to.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
