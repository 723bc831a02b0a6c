//! What goes on beside requests.

use std::pin::pin;

use crate::auth::Auth;
use crate::flow::{housekeeping, mail, signing_keys};
use crate::port::Mailer;

/// Sends mail, deletes what has expired and takes up other nodes' signing keys, until `stop`; mails under way are finished first.
///
/// Every node runs it: the store's leases share mail and cleaning out, and each takes up the others' keys.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use auth_core::{Auth, port::Mailer};
/// # async fn f(auth: Arc<Auth>, mailer: Arc<dyn Mailer>) {
/// let workers = tokio::spawn(async move { auth_core::workers::run(&auth, &*mailer, std::future::pending()).await });
/// # }
/// ```
pub async fn run(auth: &Auth, mailer: &dyn Mailer, stop: impl Future<Output = ()>) {
    let mut mail = pin!(mail::run(auth, mailer, stop));
    // Between two batches cleaning can stop anywhere: each is a transaction.
    tokio::select! {
        () = &mut mail => {}
        () = housekeeping::run(auth) => mail.await,
        () = signing_keys::follow(auth) => mail.await,
    }
}
