//! Why a command could not do what it was asked to.

use std::path::{Path, PathBuf};

use cloud::{
    elsewhere::ElsewhereError,
    lambda::{BuildError, InvokeError},
    local::StartError,
    place::PlaceError,
    states::ApiError,
};
use engine::mock::MockError;
use sam::Application;

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
    #[error("{} in {}", counted(.problems.iter().filter(|problem| problem.is_error()).count(), "error"), .template.display())]
    Project {
        template: PathBuf,
        problems: Vec<Problem>,
        /// What could be read all the same.
        read: Option<Box<Application>>,
    },
    #[error(
        "no template found; looked for {}\n  help: go to the folder of the template, or name it: -t path/to/template.yaml",
        .tried.join(", ")
    )]
    NoTemplate { tried: Vec<String> },
    #[error("there is no template {}{}", file.display(), in_folder(file))]
    NoSuchTemplate { file: PathBuf },
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
    #[error("standard input is empty; {option} - reads JSON from it")]
    NoInput { option: &'static str },
    #[error(
        "there is no file '{argument}'\n  help: {option} takes a JSON file, the JSON itself, as in {option} \
         '{{\"key\": \"value\"}}', or - for standard input"
    )]
    NoDocument { argument: String, option: &'static str },
    #[error("'{name}' is a {is}, and no {kind}\n  help: {} {command}", called())]
    OfAnotherKind { kind: &'static str, name: String, is: &'static str, command: String },
    #[error("there is no {kind} '{name}'{}{}", meant(.name, .known), list(.known))]
    Unknown { kind: &'static str, name: String, known: Vec<String> },
    #[error("cannot write to standard output")]
    Output { source: &'static std::io::Error },
    #[error("Stopped before the local cloud was started")]
    Stopped,
    #[error("no AWS credentials were found for what --forward asks for")]
    NoCredentials,
    #[error(transparent)]
    Elsewhere(#[from] ElsewhereError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    #[error(
        "there is no file '{}'{}\n  help: --mocks takes a file in the format of the MockConfigFile.json of Step Functions \
         Local",
        file.display(),
        in_folder(file)
    )]
    NoMocks { file: PathBuf },
    #[error("{}: {error}", file.display())]
    Mocks { file: PathBuf, error: MockError },
    #[error("the mocks have no test case '{test_case}' of a state machine '{machine}'")]
    NoTestCase { machine: String, test_case: String },
    #[error(
        "an earlier run has left the execution '{name}', which has not ended: `stairwell up` lets it go on. Take another --name"
    )]
    LeftExecution { name: String },
    #[error("--parameter-overrides takes Name=Value, and '{0}' has no =")]
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

/// What there is: what can be said after the name of what is not.
fn list(known: &[String]) -> String {
    match known {
        [] => ": there are none".to_owned(),
        [only] => format!("\n  help: there is {only}"),
        all => format!("\n  help: there are {}", all.join(", ")),
    }
}

fn meant(name: &str, known: &[String]) -> String {
    if name.split_once('#').is_some_and(|(machine, _)| known.iter().any(|known| known == machine)) {
        return "; a test case after '#' needs --mocks <FILE>".to_owned();
    }
    let closest = sam::closest(name, known.iter().map(String::as_str));
    closest.map(|closest| format!(" (did you mean '{closest}'?)")).unwrap_or_default()
}

/// How to call the runner once more: whoever ran it by Cargo may not have it on the path.
pub fn called() -> &'static str {
    if std::env::var_os("CARGO").is_some() { "cargo stairwell" } else { "stairwell" }
}

/// The folder that a relative path starts from.
fn in_folder(file: &Path) -> String {
    let current = std::env::current_dir().ok().filter(|_| file.is_relative());
    current.map(|folder| format!(" in {}", folder.display())).unwrap_or_default()
}

/// What errors of AWS's SDK say that say nothing.
const WRAPPERS: [&str; 3] = ["dispatch failure", "other", "service error"];

/// An error's text and those of its sources, each told once: some errors tell their source themselves.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !WRAPPERS.contains(&&*text) && !texts.iter().any(|told| told.contains(&text)) {
            texts.push(text);
        }
        source = error.source();
    }
    texts
}

impl Error {
    /// Tells the error on standard error.
    pub fn tell(self) {
        if let Self::Project { problems, .. } = &self {
            let (of_project, of_call): (Vec<_>, Vec<_>) = problems.iter().partition(|one| one.is_of_the_project());
            for problem in &of_call {
                problem.tell();
            }
            // A problem's own report has its place; the line below counts them.
            for problem in &of_project {
                crate::tell!("{}", crate::report(problem));
            }
            if !of_project.iter().any(|problem| problem.is_error()) {
                return;
            }
        }
        if let Self::Script { problems, .. } = &self {
            for problem in problems {
                crate::tell!("  {} {problem}", painted(RED, "✗"));
            }
        }
        let texts = chain(&self);
        for (index, text) in texts.iter().enumerate() {
            match index {
                0 => crate::tell!("{} {text}", painted(RED, "error:")),
                _ => crate::tell!("  because: {text}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn each_fact_of_a_chain_is_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot listen: {source}")]
        struct TellsItsSource {
            source: io::Error,
        }
        let source = || io::Error::other("no such port");
        assert_eq!(chain(&TellsItsSource { source: source() }), ["cannot listen: no such port"]);
        let read = Error::Read { what: "a.json".into(), source: source() };
        assert_eq!(chain(&read), ["cannot read a.json", "no such port"]);
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let unknown = |known: &[&str]| {
            let known = known.iter().map(|name| (*name).to_owned()).collect();
            Error::Unknown { kind: "function", name: "Chekc".into(), known }.to_string()
        };
        assert_eq!(unknown(&[]), "there is no function 'Chekc': there are none");
        assert_eq!(unknown(&["Other"]), "there is no function 'Chekc'\n  help: there is Other");
        assert_eq!(
            unknown(&["Check", "Other", "Third"]),
            "there is no function 'Chekc' (did you mean 'Check'?)\n  help: there are Check, Other, Third"
        );
    }
}
