//! What is redrawn in place on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::style::is_plain;

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
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
    }

    /// Shows another text.
    pub fn show(&self, text: impl Into<String>) {
        let text = text.into();
        self.0.set_message(if is_plain() { anstream::adapter::strip_str(&text).to_string() } else { text });
        self.0.tick();
    }

    /// Writes a line above it, which stays.
    pub fn above(&self, line: &str) {
        self.0.suspend(|| crate::tell!("{line}"));
    }

    /// Takes it away.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.clear();
    }
}
