//! Replays recorded cases through the interpreter, and tells where it differs from them.
//!
//! A recorded case is a JSON file with a definition, an input, the answers of the outside world and the history that is
//! expected. Nothing is called and nothing is waited for: tasks get their recorded answers, timers fire at once on a
//! virtual clock.

mod api;
pub mod best;
mod bucket;
pub mod case;
mod client;
mod compare;
mod events;
mod files;
mod logged;
mod map_run;
mod names;
mod play;
mod recorded_runs;
mod stage;
mod synchronous;
mod text;
mod topics;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use asl::{Value, value::Object};
use engine::{Outcome, mock::MockConfig};

use case::{Case, Ending};
pub(crate) use compare::as_recorded;
use play::{PlayError, Script, play, status};

/// A time to come that a Wait state can wait for.
const IN_REACH: &str = "2060-01-01T00:00:00Z";

/// A time that is farther away than a Wait state can wait.
const OUT_OF_REACH: &str = "2200-01-01T00:00:00Z";

/// Why cases could not be replayed at all.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file or folder can't be read.
    #[error("can't read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file can't be written.
    #[error("can't write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no recorded case.
    #[error("{} is no recorded case: {source}", path.display())]
    Case {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A line of the file of best counts is none.
    #[error("{}: expected a category and a count, found '{line}'", path.display())]
    Best {
        /// The file.
        path: PathBuf,
        /// The line.
        line: String,
    },
    /// There is no case in the given places.
    #[error("there is no recorded case (a .json file) in the given places")]
    NoCases,
}

/// What came of one case.
#[derive(Debug)]
pub enum Verdict {
    /// It came out as recorded.
    Passed,
    /// It differs: the first difference.
    Failed(String),
    /// It needs something that is not supported yet.
    Skipped(String),
}

/// How many cases passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Came out as recorded.
    pub passed: usize,
    /// Differ from the recording.
    pub failed: usize,
    /// Need something that is not supported yet.
    pub skipped: usize,
}

/// `3 passed, 0 failed, 1 skipped`
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// What came of all cases.
#[derive(Debug, Default)]
pub struct Summary {
    /// By category.
    pub categories: BTreeMap<String, Counts>,
    /// Together.
    pub total: Counts,
}

impl Summary {
    fn add(&mut self, category: &str, verdict: &Verdict) {
        for counts in [self.categories.entry(category.to_owned()).or_default(), &mut self.total] {
            match verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Failed(_) => counts.failed += 1,
                Verdict::Skipped(_) => counts.skipped += 1,
            }
        }
    }
}

/// Replays every case in these files and folders, in the order of their names, and tells of each.
pub fn replay(paths: &[PathBuf], mut tell: impl FnMut(&Case, &Verdict)) -> Result<Summary, ReplayError> {
    let mut summary = Summary::default();
    for path in files::cases(paths)? {
        let case = read(&path)?;
        let verdict = replay_case(&case);
        summary.add(&case.category, &verdict);
        tell(&case, &verdict);
    }
    if summary.total == Counts::default() { Err(ReplayError::NoCases) } else { Ok(summary) }
}

/// Reads one case.
pub fn read(path: &Path) -> Result<Case, ReplayError> {
    let text = std::fs::read_to_string(path).map_err(|source| ReplayError::Read { path: path.into(), source })?;
    serde_json::from_str(&text).map_err(|source| ReplayError::Case { path: path.into(), source })
}

/// Replays one case.
pub fn replay_case(case: &Case) -> Verdict {
    let result = match case.category.as_str() {
        "history" => replay_history(case),
        "outcome" => match &case.ending {
            Some(ending) => replay_ending(script(case), ending),
            None => Err(Unequal::Difference("the case has no 'final'".into())),
        },
        "mocked" => replay_mocked(case),
        "outputs" => replay_runs(case),
        "api" | "teststate" => api::transcript(case),
        "logs" => logged::replay_all(case),
        "express-async" => logged::replay_last(case),
        "eventbridge" => events::replay(case),
        "express-sync" => synchronous::replay(case),
        other => Err(Unequal::NotSupported(format!("cases of the category '{other}' are not replayed"))),
    };
    match result {
        Ok(()) => Verdict::Passed,
        Err(Unequal::Difference(difference)) => Verdict::Failed(difference),
        Err(Unequal::NotSupported(what)) => Verdict::Skipped(what),
    }
}

/// Why a case did not pass.
enum Unequal {
    Difference(String),
    NotSupported(String),
}

impl From<PlayError> for Unequal {
    fn from(error: PlayError) -> Self {
        match error {
            PlayError::NotSupported(what) => Self::NotSupported(what),
            other => Self::Difference(other.to_string()),
        }
    }
}

fn script(case: &Case) -> Script<'_> {
    Script {
        definition: &case.definition,
        input: &case.input,
        execution: case.execution.as_ref(),
        role_arn: case.role_arn(),
        answers: &case.task_results,
        mocked: None,
        external_calls: &case.external_calls,
        s3_objects: &case.s3_objects,
        events: &case.events,
    }
}

fn replay_history(case: &Case) -> Result<(), Unequal> {
    let replay = |input: &Value| {
        let execution = play(Script { input, ..script(case) })?;
        compare::histories(case, &execution).map_err(Unequal::Difference)
    };
    if !play::has_masked_time(&case.input) {
        return replay(&case.input);
    }
    // What the time was is not known, so either of those that matter may be it.
    replay(&with_time(&case.input, IN_REACH)).or_else(|_| replay(&with_time(&case.input, OUT_OF_REACH)))
}

/// An input with this time where the recorder masked one.
fn with_time(input: &Value, time: &str) -> Value {
    match input {
        Value::String(text) if **text == *play::MASKED_TIME => Value::from(time),
        Value::Array(items) => items.iter().map(|item| with_time(item, time)).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), with_time(value, time))).collect::<Object>().into()
        }
        other => other.clone(),
    }
}

/// Plays an execution with its mock configuration; what comes from a mock's answers is not compared.
fn replay_mocked(case: &Case) -> Result<(), Unequal> {
    let difference = |what: String| Unequal::Difference(what);
    let mock = case.mock.as_ref().ok_or_else(|| difference("the case has no 'mock'".into()))?;
    let config = MockConfig::parse(&mock.config).map_err(|error| difference(format!("the mock: {error}")))?;
    let test_case = config
        .only_test_case(&mock.test_case)
        .ok_or_else(|| difference(format!("the mock has no one test case '{}'", mock.test_case)))?;
    let execution = play(Script { answers: &[], mocked: Some(&test_case), ..script(case) })?;
    compare::courses(case, &execution).map_err(Unequal::Difference)
}

fn replay_runs(case: &Case) -> Result<(), Unequal> {
    for (index, run) in case.runs.iter().enumerate() {
        let script = Script {
            definition: &run.definition,
            input: &run.input,
            execution: None,
            role_arn: case.role_arn(),
            answers: &[],
            mocked: None,
            external_calls: &[],
            s3_objects: &case.s3_objects,
            events: &[],
        };
        replay_ending(script, &run.ending).map_err(|unequal| match unequal {
            Unequal::Difference(difference) => {
                Unequal::Difference(format!("run {} of {}: {difference}", index + 1, case.runs.len()))
            }
            not_supported @ Unequal::NotSupported(_) => not_supported,
        })?;
    }
    Ok(())
}

/// Compares only how an execution ends.
fn replay_ending(script: Script<'_>, ending: &Ending) -> Result<(), Unequal> {
    let execution = play(script)?;
    let status = status(&execution);
    if status != ending.status {
        let outcome = execution.outcome();
        return Err(Unequal::Difference(format!("status: recorded {}, now {status}: {outcome:?}", ending.status)));
    }
    if let (Some(recorded), Some(Outcome::Succeeded(output))) = (&ending.output, execution.outcome()) {
        let compared = text::Bindings::default().compare("output", recorded, &output);
        compared.map_err(|difference| Unequal::Difference(difference.to_string()))?;
    }
    Ok(())
}
