//! Asynchronous invocations: accepted at once, run later, and tried again after a function error.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    invocation::{InvokeError, Task},
    pool::Pool,
};

/// Runs an event until it succeeds or its retries are used up. Every attempt has the same request id, as on Lambda.
pub(crate) async fn run(pool: Arc<Pool>, task: Task, retry_delays: Arc<[Duration]>, shutdown: CancellationToken) {
    let mut delays = retry_delays.iter();
    loop {
        match pool.invoke(&task).await {
            Ok(invocation) if !invocation.failed => return,
            Ok(invocation) => {
                let error = String::from_utf8_lossy(&invocation.payload).into_owned();
                tracing::warn!(request_id = task.request_id, error, "an asynchronous invocation failed");
            }
            Err(InvokeError::ShuttingDown) => return,
            Err(error) => {
                tracing::warn!(request_id = task.request_id, %error, "an asynchronous invocation did not run");
            }
        }
        let Some(delay) = delays.next() else {
            tracing::error!(request_id = task.request_id, "an event was dropped: its retries are used up");
            return;
        };
        tokio::select! {
            () = sleep(*delay) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
