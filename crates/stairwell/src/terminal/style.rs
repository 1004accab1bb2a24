//! Colours. What is painted is written through `anstream`, which takes the colours out where nobody wants them:
//! `NO_COLOR`, `--color never`, a pipe.

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

/// Weight, for what is named.
pub const BOLD: Style = Style::new().bold();
/// Less weight, for what is beside the point.
pub const DIM: Style = Style::new().dimmed();
/// What went well.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// What went wrong.
pub const RED: Style = AnsiColor::Red.on_default();
/// What should be known.
pub const YELLOW: Style = AnsiColor::Yellow.on_default();

/// A text in a style.
pub fn painted(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A text that anybody may have written, without what a terminal would obey: each control character is a blank.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Applies `--color` to everything that is written from now on.
pub fn set_color(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether nobody wants colours on standard error.
pub fn is_plain() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) == anstream::ColorChoice::Never
}
