//! Event source mappings: what gives the messages of queues, and the changes of tables, to functions.
//!
//! Source: the Lambda Developer Guide, "How Lambda processes records from stream and queue-based event sources".

mod outcome;
mod queue;
mod table;

use std::sync::Arc;

use sam::{EventSourceMapping, MappingSource};
use tokio::task::JoinSet;

use crate::{
    dynamodb::DynamoDb,
    events::{Pattern, PatternError},
    lambda::Lambda,
    location::Location,
    sqs::Sqs,
    states::{Store, StoreError},
    targets::Targets,
};

/// Why sources can't be read.
#[derive(Debug, thiserror::Error)]
pub enum MappingsError {
    /// A filter of a mapping can't be used.
    #[error("the event source mapping {mapping}: {error}")]
    Filter {
        /// The mapping's name.
        mapping: String,
        /// What is wrong.
        error: PatternError,
    },
    /// The file that tells how far streams were read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What mappings read, and whom they call.
pub(crate) struct Services {
    pub(crate) sqs: Arc<Sqs>,
    pub(crate) dynamodb: Arc<DynamoDb>,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) targets: Targets,
    pub(crate) location: Location,
    /// Keeps how far streams were read.
    pub(crate) store: Store,
}

/// Starts to read all sources, for as long as `tasks` lives.
pub(crate) fn start(
    mappings: &[EventSourceMapping],
    services: Services,
    tasks: &mut JoinSet<()>,
) -> Result<(), MappingsError> {
    let Services { sqs, dynamodb, lambda, targets, location, store } = services;
    let positions = Arc::new(table::Positions::open(store)?);
    for mapping in mappings.iter().filter(|mapping| mapping.enabled).cloned() {
        let refused = |error| MappingsError::Filter { mapping: mapping.name.clone(), error };
        let filters = mapping.filters.iter().map(Pattern::parse).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let batch_size = usize::try_from(mapping.batch_size).unwrap_or(usize::MAX);
        match mapping.source {
            MappingSource::Queue { arn, max_concurrency } => {
                let reader = queue::Reader {
                    sqs: Arc::clone(&sqs),
                    lambda: Arc::clone(&lambda),
                    queue_arn: arn,
                    function: mapping.function,
                    batch_size,
                    batching_window: mapping.batching_window,
                    reports_item_failures: mapping.reports_item_failures,
                    filters,
                };
                tasks.spawn(queue::read(Arc::new(reader), max_concurrency));
            }
            MappingSource::Table { table, from_the_beginning, max_retries, bisects, on_failure } => {
                let reader = table::Reader {
                    name: mapping.name,
                    table,
                    from_the_beginning,
                    max_retries,
                    bisects,
                    on_failure,
                    dynamodb: Arc::clone(&dynamodb),
                    lambda: Arc::clone(&lambda),
                    targets: targets.clone(),
                    positions: Arc::clone(&positions),
                    location: location.clone(),
                    function: mapping.function,
                    batch_size,
                    batching_window: mapping.batching_window,
                    reports_item_failures: mapping.reports_item_failures,
                    filters,
                };
                tasks.spawn(table::read(reader));
            }
        }
    }
    Ok(())
}
