//! What is redrawn in place on a terminal.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::style::is_plain;

/// What is redrawn now, where something is: lines that stay are written above it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes while nothing is redrawn.
pub(super) fn above<T>(write: impl FnOnce() -> T) -> T {
    let shown = shown().clone();
    match shown {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A text that is redrawn in place until it is done; nothing where the output is no terminal.
pub struct Spinner(ProgressBar);

impl Spinner {
    /// A line with a turning sign in front.
    pub fn turning(message: impl Into<String>) -> Self {
        let bar = Self::hidden_unless_terminal();
        let template = if is_plain() { "{spinner} {wide_msg}" } else { "{spinner:.yellow} {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message.into());
        bar.enable_steady_tick(Duration::from_millis(80));
        Self(bar)
    }

    /// Several lines, which the caller redraws.
    pub fn lines() -> Self {
        let bar = Self::hidden_unless_terminal();
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn hidden_unless_terminal() -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        *shown() = Some(bar.clone());
        bar
    }

    /// Shows another text.
    pub fn show(&self, text: impl Into<String>) {
        let text = text.into();
        self.0.set_message(if is_plain() { anstream::adapter::strip_str(&text).to_string() } else { text });
        self.0.tick();
    }

    /// Takes it away.
    pub fn clear(&self) {
        *shown() = None;
        self.0.finish_and_clear();
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.clear();
    }
}
