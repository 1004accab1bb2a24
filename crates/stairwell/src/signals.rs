//! Being asked to stop.

use std::{io, pin::Pin};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit status of a command that was stopped, as shells have it for Ctrl-C.
pub const STOPPED: u8 = 130;

/// A command was asked to stop before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// A wish to stop, which may come once.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits for Ctrl-C, for what a service manager sends, or for the terminal to close. All are caught from this call on, not
/// from the first wait.
pub fn stop_asked() -> io::Result<Stop> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = if hangups_are_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(Box::pin(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
            () = next(hung_up.as_mut()) => {}
        }
    }))
}

/// Does something, unless a stop is asked for first.
pub async fn unless_stopped<T>(stop: &mut Stop, work: impl Future<Output = T>) -> Result<T, Stopped> {
    tokio::select! {
        done = work => Ok(done),
        () = stop => Err(Stopped),
    }
}

async fn next(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether whoever started this wants it to outlive the terminal, as `nohup` does. Linux tells in a file; elsewhere a
/// hangup always counts.
fn hangups_are_ignored() -> bool {
    const HANGUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANGUP != 0)
}
