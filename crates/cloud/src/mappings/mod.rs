//! Event source mappings: what gives the messages of queues, and the changes of tables, to functions.
//!
//! Source: the Lambda Developer Guide, "How Lambda processes records from stream and queue-based event sources".

mod outcome;
mod queue;

use std::sync::Arc;

use sam::{EventSourceMapping, MappingSource};
use tokio::task::JoinSet;

use crate::{
    events::{Pattern, PatternError},
    lambda::Lambda,
    sqs::Sqs,
};

/// A filter of a mapping can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the event source mapping {mapping}: {error}")]
pub struct FilterError {
    /// The mapping's name.
    pub mapping: String,
    /// What is wrong.
    pub error: PatternError,
}

/// Starts to read all sources, for as long as `tasks` lives.
pub(crate) fn start(
    mappings: &[EventSourceMapping],
    sqs: &Arc<Sqs>,
    lambda: &Arc<Lambda>,
    tasks: &mut JoinSet<()>,
) -> Result<(), FilterError> {
    for mapping in mappings.iter().filter(|mapping| mapping.enabled) {
        let refused = |error| FilterError { mapping: mapping.name.clone(), error };
        let filters = mapping.filters.iter().map(Pattern::parse).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        match &mapping.source {
            MappingSource::Queue { arn, max_concurrency } => {
                let reader = queue::Reader {
                    sqs: Arc::clone(sqs),
                    lambda: Arc::clone(lambda),
                    queue_arn: arn.clone(),
                    function: mapping.function.clone(),
                    batch_size: usize::try_from(mapping.batch_size).unwrap_or(usize::MAX),
                    batching_window: mapping.batching_window,
                    reports_item_failures: mapping.reports_item_failures,
                    filters,
                };
                tasks.spawn(queue::read(Arc::new(reader), *max_concurrency));
            }
            MappingSource::Table { .. } => {}
        }
    }
    Ok(())
}
