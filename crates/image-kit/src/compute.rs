//! Work that computes.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::Error;

/// What is kept of a function's time to tell the error's name.
const TO_ANSWER: Duration = Duration::from_secs(1);

/// Computes on a thread of its own, for as long as the function has time. A panic of a library is an error.
///
/// A thread cannot be ended: one that is late goes on with the function's processor until it is done.
pub async fn compute<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let Some(time) = time.checked_sub(TO_ANSWER).filter(|time| !time.is_zero()) else { return Err(Error::TimedOut) };
    match timeout(time, spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(failed)) => Err(Error::Internal(failed.to_string())),
        Err(_) => Err(Error::TimedOut),
    }
}
