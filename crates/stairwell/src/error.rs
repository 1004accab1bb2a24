//! Why a command could not do what it was asked to.

use std::path::PathBuf;

use cloud::{
    lambda::{BuildError, InvokeError},
    local::StartError,
    place::PlaceError,
    states::ApiError,
};

use crate::{
    problems::Problem,
    record::RecordError,
    replay::ReplayError,
    terminal::{RED, counted, painted},
};

/// An error of a command. What the run itself came to (a failed execution, say) is an exit status, not an error.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant tells itself in its message")]
pub enum Error {
    #[error("{} {} in {}", .problems.len(), if .problems.len() == 1 { "problem" } else { "problems" }, .template.display())]
    Project { template: PathBuf, problems: Vec<Problem> },
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot read {what}")]
    Read { what: String, source: std::io::Error },
    #[error("{what} is not JSON")]
    NotJson { what: String, source: serde_json::Error },
    #[error("there is no {kind} '{name}'{}; there is {}", meant(.name, .known), list(.known))]
    Unknown { kind: &'static str, name: String, known: Vec<String> },
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    #[error("--parameter-overrides takes Name=Value, not '{0}'")]
    Override(String),
    #[error("{}: {message}", file.display())]
    Demo { file: PathBuf, message: String },
    #[error("{} in the script {}", counted(.problems.len(), "problem"), file.display())]
    Script { file: PathBuf, problems: Vec<String> },
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("STAIRWELL_LOG is not a log filter such as debug or cloud=debug: {0}")]
    LogFilter(String),
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
}

fn list(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

fn meant(name: &str, known: &[String]) -> String {
    let closest = sam::closest(name, known.iter().map(String::as_str));
    closest.map(|closest| format!(" (did you mean '{closest}'?)")).unwrap_or_default()
}

impl Error {
    /// Tells the error on standard error.
    pub fn tell(self) {
        if let Self::Project { problems, .. } = &self {
            // A problem's own report has its place; the line below counts them.
            for problem in problems {
                anstream::eprintln!("{}", crate::report(problem));
            }
        }
        if let Self::Script { problems, .. } = &self {
            for problem in problems {
                anstream::eprintln!("  {} {problem}", painted(RED, "✗"));
            }
        }
        anstream::eprintln!("{} {self}", painted(RED, "error:"));
        let mut source = std::error::Error::source(&self);
        while let Some(error) = source {
            anstream::eprintln!("  because {error}");
            source = error.source();
        }
    }
}
