//! The script: workflows by name, each a list of steps.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::error::Error;

/// The workflows, in the order of the file.
pub type Script = indexmap::IndexMap<String, Workflow>;

/// What is shown of one workflow.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workflow {
    /// What it is about.
    pub title: String,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// One thing that is done, and the execution that comes of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// What happens, for the reader.
    pub title: String,
    /// What is done.
    #[serde(rename = "do")]
    pub action: Action,
    /// What the execution asks a person, where it does.
    pub ask: Option<Question>,
    /// What comes of it.
    pub expect: Expectation,
}

/// What an execution asks a person.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// The state that waits for the answer.
    pub state: String,
    /// The question, for the person.
    pub question: String,
    /// What may be answered.
    pub answers: Vec<Answer>,
}

/// What a person may answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The answer, for the person.
    pub title: String,
    /// What hands it over.
    #[serde(rename = "do")]
    pub action: Action,
    /// How the execution ends then.
    pub status: String,
    /// The state that it ends in then, where that matters.
    pub state: Option<String>,
}

/// What a step does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Puts a file into a bucket.
    Put {
        /// The bucket's key in the template.
        bucket: String,
        /// The object's key.
        key: String,
        /// The file, beside the script.
        file: PathBuf,
    },
    /// Sends a request to an HTTP API.
    Request {
        /// The API's key in the template.
        api: String,
        /// The HTTP method.
        method: String,
        /// The path.
        path: String,
        /// The file with the body, beside the script.
        body: PathBuf,
    },
    /// Starts an execution.
    Start {
        /// The file with the input, beside the script.
        input: PathBuf,
    },
}

/// The execution that a step leads to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// The state machine's key in the template.
    pub state_machine: String,
    /// How the execution ends: `SUCCEEDED`, `FAILED`, … Left out where that follows from an answer.
    pub status: Option<String>,
    /// The state that it ends in, where that matters.
    pub state: Option<String>,
    /// The state that it ends in where an earlier run has done the same, and its data is there.
    pub again: Option<String>,
}

/// Reads a script.
pub fn read(file: &Path) -> Result<Script, Error> {
    let what = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::Demo {
            file: file.to_owned(),
            message: "there is no such script; write one as `stairwell demo --help` tells, or try `stairwell run`"
                .into(),
        },
        _ => Error::Read { what, source },
    })?;
    serde_json::from_str(&text).map_err(|error| Error::Demo { file: file.to_owned(), message: error.to_string() })
}
