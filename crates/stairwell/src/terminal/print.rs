//! Results on standard output, and what people are told on standard error.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
    sync::OnceLock,
};

use super::live;

/// Why standard output could not be written, the first time.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// `1 function`, `2 functions`.
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Writes a line to standard output. A reader that went away (`| head`) is no error of ours; any other is told by
/// [`lost`].
pub fn print(line: impl Display) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => _ = LOST.set(error),
        _ => {}
    }
}

/// Why not all was written to standard output, where that is so: for the command's exit status.
pub fn lost() -> Option<&'static io::Error> {
    LOST.get()
}

/// Writes a line to standard error, in colours where they are wanted. That nobody can read it is no reason to stop.
pub fn tell(line: impl Display) {
    let line = format!("{line}\n");
    let _ = live::above(|| anstream::stderr().lock().write_all(line.as_bytes()));
}

/// Writes a line to standard error, as [`terminal::tell`](crate::terminal::tell) does.
#[macro_export]
macro_rules! tell {
    ($($line:tt)*) => {
        $crate::terminal::tell(format_args!($($line)*))
    };
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
