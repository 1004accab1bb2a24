//! `ResultWriter`: how child executions ended, as the state's result and as files in S3.
//!
//! ```text
//! <prefix>/<map run>/manifest.json        the files there are
//! <prefix>/<map run>/SUCCEEDED_0.json     the executions that succeeded
//! <prefix>/<map run>/FAILED_0.json        those that failed, timed out or were stopped
//! <prefix>/<map run>/PENDING_0.json       those that never began
//! ```

mod record;

use std::sync::Arc;

use asl::{
    Fault, Value,
    distributed::{OutputType, Transformation},
    value::Object,
};
use engine::{
    Execution, Outcome,
    map_run::{Batch, names},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::objects::{Objects, ObjectsError};

/// The largest result file, in bytes.
pub const MAX_FILE: usize = 5_000_000_000;

/// A child execution of a Map Run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Its input.
    pub input: Value,
    /// How many items it has.
    pub items: u64,
    /// What became of it; nothing where it never began.
    pub run: Option<ChildRun>,
}

/// A child execution that has begun and ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildRun {
    /// Its ARN.
    pub arn: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The ARN that stands for the item processor: `…:stateMachine:<machine>/<label>`.
    pub state_machine_arn: Arc<str>,
    /// Whether it was an Express execution: those can be started again by their Map Run only.
    pub is_express: bool,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// When it ended.
    pub stopped_at: OffsetDateTime,
    /// How it ended.
    pub outcome: Outcome,
    /// How many redrives of it there were.
    pub redrives: u64,
}

impl Child {
    /// What it begins with.
    pub fn batch(&self) -> Batch {
        Batch { input: self.input.clone(), items: self.items }
    }

    /// Whether it has ended well.
    pub fn has_succeeded(&self) -> bool {
        self.run.as_ref().is_some_and(|run| matches!(run.outcome, Outcome::Succeeded(_)))
    }
}

impl ChildRun {
    /// What became of an execution; nothing where it has not ended.
    pub fn of(execution: &Execution, is_express: bool) -> Option<Self> {
        let identity = execution.identity();
        Some(Self {
            arn: identity.arn.clone(),
            name: identity.name.clone(),
            state_machine_arn: identity.state_machine_arn.clone(),
            is_express,
            started_at: identity.started_at,
            stopped_at: execution.history().last()?.at,
            outcome: execution.outcome()?,
            redrives: execution.redriven().map_or(0, |redrive| redrive.count),
        })
    }
}

/// Where results are exported to: the evaluated `Parameters` or `Arguments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `Bucket`
    pub bucket: String,
    /// `Prefix`
    pub prefix: String,
}

impl Destination {
    /// Reads the parameters.
    pub fn read(parameters: &Value) -> Result<Self, Fault> {
        let unusable = |why: &str| failed(&format!("The parameters of the ResultWriter could not be used: {why}"));
        let Value::Object(fields) = parameters else { return Err(unusable("they are no object")) };
        let (mut bucket, mut prefix) = (None, String::new());
        for (name, value) in fields.iter() {
            let text = value.as_str().ok_or_else(|| unusable(&format!("'{name}' is no string")));
            match &**name {
                "Bucket" => bucket = Some(text?.to_owned()),
                "Prefix" => text?.clone_into(&mut prefix),
                _ => return Err(unusable(&format!("'{name}' is not supported"))),
            }
        }
        Ok(Self { bucket: bucket.ok_or_else(|| unusable("'Bucket' is missing"))?, prefix })
    }

    /// `prefix/map run/`, without a slash in front or two of them in between.
    fn folder(&self, map_run: &str) -> String {
        let prefix = self.prefix.trim_end_matches('/');
        if prefix.is_empty() { format!("{map_run}/") } else { format!("{prefix}/{map_run}/") }
    }
}

fn failed(cause: &(impl ToString + ?Sized)) -> Fault {
    Fault::new(names::RESULT_WRITER_FAILED, cause.to_string())
}

/// The results as the state's result: an array, in the order of the child executions. What never began has none.
pub fn state_result(transformation: Transformation, children: &[Child]) -> Value {
    children.iter().flat_map(|child| record::results(child, transformation)).collect::<Vec<_>>().into()
}

/// Writes the result files, and gives the state's result: where their manifest is. Blocks.
///
/// Every error is `States.ResultWriterFailed`.
pub fn export(
    objects: &dyn Objects,
    destination: &Destination,
    (transformation, output_type): (Transformation, OutputType),
    map_run_arn: &str,
    children: &[Child],
) -> Result<Value, Fault> {
    let map_run = map_run_arn.rsplit(':').next().unwrap_or_default();
    let export = Export { objects, destination, folder: destination.folder(map_run), output_type, max_file: MAX_FILE };
    export.write(transformation, map_run_arn, children).map_err(|error| failed(&error))
}

/// An export under way.
struct Export<'a> {
    objects: &'a dyn Objects,
    destination: &'a Destination,
    folder: String,
    output_type: OutputType,
    max_file: usize,
}

impl Export<'_> {
    fn write(
        &self,
        transformation: Transformation,
        map_run_arn: &str,
        children: &[Child],
    ) -> Result<Value, ObjectsError> {
        let mut result_files = Object::new();
        for kind in [Kind::Failed, Kind::Pending, Kind::Succeeded] {
            let of_kind = children.iter().filter(|child| Kind::of(child) == kind);
            let results = of_kind.flat_map(|child| record::results_or_record(child, transformation));
            result_files.insert(kind.name().into(), self.files(kind, results)?.into());
        }
        let manifest = Value::from([
            ("DestinationBucket", Value::from(&*self.destination.bucket)),
            ("MapRunArn", map_run_arn.into()),
            ("ResultFiles", result_files.into()),
        ]);
        let key = format!("{}manifest.json", self.folder);
        self.objects.put(&self.destination.bucket, &key, manifest.to_string().into_bytes())?;
        let details = Value::from([("Bucket", Value::from(&*self.destination.bucket)), ("Key", key.into())]);
        Ok(Value::from([("MapRunArn", Value::from(map_run_arn)), ("ResultWriterDetails", details)]))
    }

    /// Writes the results of a kind, to as many files as they need. Gives the manifest's list of them.
    fn files(&self, kind: Kind, results: impl Iterator<Item = Value>) -> Result<Vec<Value>, ObjectsError> {
        let mut written = Vec::new();
        let mut file = Vec::new();
        for result in results {
            let text = result.to_string();
            // A separator before it and the end of the file behind it.
            if !file.is_empty() && file.len() + text.len() + 2 > self.max_file {
                written.push(self.put(kind, written.len(), std::mem::take(&mut file))?);
            }
            match self.output_type {
                OutputType::Json => file.push(if file.is_empty() { b'[' } else { b',' }),
                OutputType::Jsonl => {}
            }
            file.extend_from_slice(text.as_bytes());
            if self.output_type == OutputType::Jsonl {
                file.push(b'\n');
            }
        }
        if !file.is_empty() {
            written.push(self.put(kind, written.len(), file)?);
        }
        Ok(written)
    }

    fn put(&self, kind: Kind, number: usize, mut file: Vec<u8>) -> Result<Value, ObjectsError> {
        let extension = match self.output_type {
            OutputType::Json => {
                file.push(b']');
                "json"
            }
            OutputType::Jsonl => "jsonl",
        };
        let key = format!("{}{}_{number}.{extension}", self.folder, kind.name());
        let size = file.len() as u64;
        self.objects.put(&self.destination.bucket, &key, file)?;
        Ok(Value::from([("Key", Value::from(key)), ("Size", size.into())]))
    }
}

/// Which files a child execution is written to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    Pending,
    Succeeded,
}

impl Kind {
    fn of(child: &Child) -> Self {
        match child.run.as_ref().map(|run| &run.outcome) {
            None => Self::Pending,
            Some(Outcome::Succeeded(_)) => Self::Succeeded,
            Some(Outcome::Failed(_) | Outcome::TimedOut(_) | Outcome::Aborted(_)) => Self::Failed,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::Pending => "PENDING",
            Self::Succeeded => "SUCCEEDED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::objects::Memory, *};

    #[test]
    fn a_file_that_would_be_too_large_goes_on_in_the_next() {
        for (output_type, expected) in [
            (OutputType::Json, [("SUCCEEDED_0.json", r#"["aa","bb"]"#), ("SUCCEEDED_1.json", r#"["cc"]"#)]),
            (OutputType::Jsonl, [("SUCCEEDED_0.jsonl", "\"aa\"\n\"bb\"\n"), ("SUCCEEDED_1.jsonl", "\"cc\"\n")]),
        ] {
            let objects = Memory::new(OffsetDateTime::UNIX_EPOCH).with_bucket("b");
            let destination = Destination { bucket: "b".into(), prefix: String::new() };
            let export =
                Export { objects: &objects, destination: &destination, folder: "f/".into(), output_type, max_file: 11 };
            let listed = export.files(Kind::Succeeded, ["aa", "bb", "cc"].map(Value::from).into_iter()).unwrap();
            let expected_list = expected.map(|(name, content)| {
                Value::from([("Key", Value::from(format!("f/{name}"))), ("Size", (content.len() as u64).into())])
            });
            assert_eq!(listed, expected_list);
            for (name, content) in expected {
                assert_eq!(&*objects.get("b", &format!("f/{name}")).unwrap(), content.as_bytes());
            }
        }
    }
}
