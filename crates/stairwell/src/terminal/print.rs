//! Results on standard output.

use std::{fmt::Display, io::Write};

/// `1 function`, `2 functions`.
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Writes a line. A reader that went away (`| head`) is no error of ours.
pub fn print(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
