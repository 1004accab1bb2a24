//! The script: workflows by name, each a list of steps.

use std::{
    fs,
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use serde::Deserialize;
use uuid::Uuid;

use crate::error::Error;

/// What stands for a text of its own in each demo, for names that must be new: an earlier demo may have been stopped in the
/// middle of what it did with them.
const ITS_OWN: &str = "${demo}";

/// How long that text is.
const OWN_LENGTH: usize = 6;

/// The workflows, in the order of the file.
pub type Script = IndexMap<String, Workflow>;

/// What is shown of one workflow.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workflow {
    /// What it is about.
    pub title: String,
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// What it produces that somebody may want to look at: ends of objects' keys, by the bucket's key in the template.
    #[serde(default)]
    pub produces: IndexMap<String, Vec<String>>,
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
        /// The body.
        body: Document,
    },
    /// Starts an execution.
    Start {
        /// The input.
        input: Document,
    },
}

/// What is sent.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Document {
    /// The content of this file, beside the script.
    File(PathBuf),
    /// This object.
    Own(serde_json::Map<String, serde_json::Value>),
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
    let own: String = Uuid::new_v4().simple().to_string().chars().take(OWN_LENGTH).collect();
    serde_json::from_str(&text.replace(ITS_OWN, &own))
        .map_err(|error| Error::Demo { file: file.to_owned(), message: error.to_string() })
}
