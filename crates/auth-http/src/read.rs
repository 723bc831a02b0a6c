//! Bodies: read up to a size, and not waited for.

use std::error::Error;

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::problem::Problem;
use crate::route::Route;

/// A whole body, if it has no more than `max` bytes and doesn't keep us waiting: for adapters.
///
/// # Errors
/// As [`read`].
pub async fn read_body<B>(body: B, max: usize) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let announced = body.size_hint().lower();
    let reading = async {
        match Limited::new(body, max).collect().await {
            Ok(collected) => Ok(Some(collected.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Ok(None),
            Err(error) => Err(error),
        }
    };
    read(max, Some(announced), reading).await
}

/// The same, of a framework whose bodies are its own.
///
/// `announced` is the size that the client says it has, if it does; `reading` reads up to `max` bytes, and comes to `None`
/// where there are more.
///
/// # Errors
/// 413 for one that is too large, announced or arrived; 408 for one that is not there after
/// [`Route::BODY_TIMEOUT`]; 400 for one that was cut short.
pub async fn read<E>(
    max: usize,
    announced: Option<u64>,
    reading: impl Future<Output = Result<Option<Bytes>, E>>,
) -> Result<Bytes, Problem> {
    // A body that says it is too large isn't waited for, nor asked for where the client awaits `100 Continue`.
    if announced.is_some_and(|size| size > u64::try_from(max).unwrap_or(u64::MAX)) {
        return Err(Problem::payload_too_large(max));
    }
    match tokio::time::timeout(Route::BODY_TIMEOUT, reading).await {
        Ok(Ok(Some(body))) => Ok(body),
        Ok(Ok(None)) => Err(Problem::payload_too_large(max)),
        Ok(Err(_)) => Err(Problem::invalid("The body did not arrive whole.")),
        Err(_) => Err(Problem::request_timeout()),
    }
}
