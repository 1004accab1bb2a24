//! Results on standard output.

use std::{fmt::Display, io::Write};

/// Writes a line. A reader that went away (`| head`) is no error of ours.
pub fn print(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
