//! Being asked to stop.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

/// The exit status of a command that was stopped, as shells have it for Ctrl-C.
pub const STOPPED: u8 = 130;

/// Waits for Ctrl-C, or for what a service manager sends. Both are caught from this call on, not from the first wait.
pub fn stop_asked() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

/// Does something, unless a stop is asked for first: then what is left undone has the status of a stopped command.
pub async fn unless_stopped<T>(stop: impl Future<Output = ()>, work: impl Future<Output = T>) -> Result<T, ExitCode> {
    tokio::select! {
        done = work => Ok(done),
        () = stop => Err(ExitCode::from(STOPPED)),
    }
}
