//! The data of a distributed Map state: where its items come from and where its results go.
//!
//! - [`objects`]: what is needed of S3, and a stand-in for it in memory
//! - [`reader`]: `ItemReader`: objects in S3 to items
//! - [`writer`]: `ResultWriter`: how child executions ended, to the state's result and to files in S3
//!
//! Nothing here waits. Reading and writing block on the disk: call them where that is allowed.

pub mod objects;
pub mod reader;
pub mod writer;

use asl::{Fault, PAYLOAD_LIMIT, Value, fault};
use engine::{
    Outcome,
    map_run::{Batch, MapRun, ResultWriter, Source, Tolerance},
};

use objects::Objects;
use writer::{Child, Destination};

/// The inputs of a Map Run's child executions. Blocks.
pub fn batches(run: &MapRun, objects: &dyn Objects) -> Result<Vec<Batch>, Fault> {
    let items = match &run.source {
        Source::State(items) => items.items(),
        Source::Reader(reader) => reader::read(reader, objects)?,
    };
    run.batches(&items)
}

/// The result of a Map Run whose child executions have ended, or will not begin. Blocks.
///
/// Where more have failed than are tolerated, what there is is exported all the same. A result that is too large for a
/// state's is `States.DataLimitExceeded`.
pub fn result(run: &MapRun, objects: &dyn Objects, tolerance: Tolerance, children: &[Child]) -> Result<Value, Fault> {
    let result = match &run.writer {
        ResultWriter::State(transformation) => writer::state_result(*transformation, children),
        ResultWriter::Export { transformation, output_type, parameters } => {
            let destination = Destination::read(parameters)?;
            writer::export(objects, &destination, (*transformation, *output_type), &run.arn, children)?
        }
    };
    let has_failed =
        |child: &&Child| child.run.as_ref().is_some_and(|run| !matches!(run.outcome, Outcome::Succeeded(_)));
    let failed = children.iter().filter(has_failed).map(|child| child.items).sum();
    let total = children.iter().map(|child| child.items).sum();
    if tolerance.is_exceeded(failed, total) {
        return Err(Tolerance::fault());
    }
    if result.text_len(PAYLOAD_LIMIT) > PAYLOAD_LIMIT {
        let cause = format!(
            "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit.",
            run.state
        );
        return Err(Fault::new(fault::names::DATA_LIMIT_EXCEEDED, cause));
    }
    Ok(result)
}
