//! Limits of an application's own.

use std::fmt;
use std::marker::PhantomData;

use auth_core::port::Limit;
use auth_http::Check;
use rocket::request::{FromRequest, Outcome};
use rocket::{Ignite, Request, Rocket, Sentinel};

use crate::exchange::is_unmounted;
use crate::guards::admitted;
use crate::rejection::Rejection;

/// A type that names a limit, for [`RateLimit`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no limit",
    label = "not a limit",
    note = "`impl Limited for {Self}`, with its name and how many requests there may be"
)]
pub trait Limited: Send + Sync + 'static {
    /// Routes under one name are counted together, apart from what Portcullis counts itself.
    const NAME: &'static str;
    /// How many requests there may be.
    const LIMIT: Limit;
}

/// One of the requests that a client address has; one more is answered with 429.
///
/// ```
/// use std::time::Duration;
///
/// use auth_core::port::Limit;
/// use auth_rocket::{Limited, RateLimit};
/// use rocket::get;
///
/// struct Search;
///
/// impl Limited for Search {
///     const NAME: &'static str = "search";
///     const LIMIT: Limit = Limit { uses: 30, window: Duration::from_secs(60) };
/// }
///
/// #[get("/search?<words>")]
/// fn search(_limit: RateLimit<Search>, words: &str) -> String {
///     format!("Nothing about {words}")
/// }
/// ```
///
/// A request counts once, also where several routes are tried for it.
pub struct RateLimit<L>(PhantomData<L>);

impl<L> fmt::Debug for RateLimit<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateLimit")
    }
}

/// That a request was counted under this limit.
struct Counted<L>(Outcome<(), Rejection>, PhantomData<L>);

#[rocket::async_trait]
impl<'r, L: Limited> FromRequest<'r> for RateLimit<L> {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Rejection> {
        let count = async {
            let admitted = admitted(Check::Rate { name: L::NAME, limit: L::LIMIT }, request).await;
            Counted::<L>(admitted.map(|_| ()), PhantomData)
        };
        let Counted(outcome, _) = request.local_cache_async(count).await;
        match outcome {
            Outcome::Success(()) => Outcome::Success(Self(PhantomData)),
            Outcome::Error((status, rejection)) => Outcome::Error((*status, rejection.clone())),
            Outcome::Forward(status) => Outcome::Forward(*status),
        }
    }
}

impl<L> Sentinel for RateLimit<L> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        is_unmounted(rocket)
    }
}
