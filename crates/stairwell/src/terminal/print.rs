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

/// Names with commas between them, on as many lines as they need; a name that is long has its own.
pub fn lines<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Vec<String> {
    /// How much a line holds, in characters.
    const WIDTH: usize = 90;
    names.into_iter().fold(Vec::new(), |mut lines: Vec<String>, name| {
        let name = name.as_ref();
        match lines.last_mut().filter(|line| line.len() + name.len() + 2 <= WIDTH) {
            Some(line) => line.extend([", ", name]),
            None => lines.push(name.to_owned()),
        }
        lines
    })
}
