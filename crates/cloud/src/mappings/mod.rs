//! Event source mappings: what gives the messages of queues, and the changes of tables, to functions.
//!
//! Source: the Lambda Developer Guide, "How Lambda processes records from stream and queue-based event sources".

mod description;
mod front_end;
mod outcome;
mod queue;
mod table;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::StatusCode;
use sam::{EventSourceMapping, MappingSource, Target};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::{
    dynamodb::DynamoDb,
    events::{Pattern, PatternError},
    lambda::Lambda,
    location::Location,
    named::Named,
    protocol::{Failure, after, page},
    sqs::Sqs,
    states::{Store, StoreError},
    targets::Targets,
};

use description::{Description, Mapping, invalid};
use front_end::Asked;

pub(crate) use front_end::FrontEnd;

/// How many mappings a page has at most.
const PAGE: usize = 100;

type Answer = Result<Value, Failure>;

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
    /// The file that keeps what the API has made, or the one that tells how far streams were read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What mappings read, and whom they call.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) sqs: Arc<Sqs>,
    pub(crate) dynamodb: Arc<DynamoDb>,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) targets: Targets,
    pub(crate) location: Location,
}

/// The mappings, each with what reads its source.
pub(crate) struct Mappings {
    services: Services,
    positions: Arc<table::Positions>,
    /// By their ids.
    all: Named<Mapping>,
    /// Those of the template, by their ids.
    names: BTreeMap<String, String>,
    reading: Mutex<BTreeMap<String, Reading>>,
    /// Held by whoever changes mappings, until their sources are read as they say.
    changing: Mutex<()>,
}

/// What reads a source: it ends when this is dropped. A batch that is under way then comes again.
struct Reading(AbortHandle);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Mappings {
    /// The mappings of a template, and those that the API has made before. None of their sources is read yet.
    pub(crate) fn open(
        mappings: &[EventSourceMapping],
        services: Services,
        kept: Store,
        positions: Store,
    ) -> Result<Self, MappingsError> {
        let changed_at = OffsetDateTime::now_utc().unix_timestamp();
        let of_template = mappings.iter().map(|mapping| {
            let description = Description::of(mapping, &services.location);
            (id_of(&mapping.name), Mapping { description, changed_at, is_of_template: true })
        });
        let all = Named::open(kept, of_template)?;
        let positions = Arc::new(table::Positions::open(positions)?);
        for mapping in mappings {
            filters(mapping)?;
        }
        // Those of the template keep their names, by which it is known how far their streams were read.
        let names = mappings.iter().map(|mapping| (id_of(&mapping.name), mapping.name.clone())).collect();
        Ok(Self { services, positions, all, names, reading: Mutex::default(), changing: Mutex::default() })
    }

    /// Begins to read all sources. Must be called inside a Tokio runtime.
    pub(crate) fn start(&self) {
        let all = self.all.all().clone();
        for (id, mapping) in all {
            let read = self.mapping(&id, &mapping.description).and_then(|mapping| self.read(&id, mapping));
            if let Err(failure) = read {
                tracing::warn!(%failure, id, "an event source mapping is not taken up");
            }
        }
    }

    /// Reads the source of a mapping from now on as it is described, or not at all where it is switched off.
    fn read(&self, id: &str, mapping: EventSourceMapping) -> Result<(), Failure> {
        let filters = filters(&mapping).map_err(|error| invalid(error.to_string()))?;
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        reading.remove(id);
        if !mapping.enabled {
            return Ok(());
        }
        let Services { sqs, dynamodb, lambda, targets, location } = self.services.clone();
        let batch_size = usize::try_from(mapping.batch_size).unwrap_or(usize::MAX);
        let task = match mapping.source {
            MappingSource::Queue { arn, max_concurrency } => {
                let reader = queue::Reader {
                    sqs,
                    lambda,
                    queue_arn: arn,
                    function: mapping.function,
                    batch_size,
                    batching_window: mapping.batching_window,
                    reports_item_failures: mapping.reports_item_failures,
                    filters,
                };
                tokio::spawn(queue::read(Arc::new(reader), max_concurrency))
            }
            MappingSource::Table { table, from_the_beginning, max_retries, bisects, on_failure } => {
                let reader = table::Reader {
                    name: mapping.name,
                    table,
                    from_the_beginning,
                    max_retries,
                    bisects,
                    on_failure,
                    dynamodb,
                    lambda,
                    targets,
                    positions: Arc::clone(&self.positions),
                    location,
                    function: mapping.function,
                    batch_size,
                    batching_window: mapping.batching_window,
                    reports_item_failures: mapping.reports_item_failures,
                    filters,
                };
                tokio::spawn(table::read(reader))
            }
        };
        reading.insert(id.to_owned(), Reading(task.abort_handle()));
        Ok(())
    }

    /// Reads nothing any more.
    pub(crate) fn close(&self) {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The operations.
impl Mappings {
    fn create(&self, mut description: Description) -> Answer {
        let id = Uuid::new_v4().to_string();
        let source = description.event_source_arn.clone();
        description.function_name = Some(self.function_arn(&description)?);
        let _changing = self.changing();
        let all = self.all.all();
        let is_same = |there: &Mapping| {
            there.description.event_source_arn == source && there.description.function_name == description.function_name
        };
        if let Some((id, _)) = all.iter().find(|(_, there)| is_same(there)) {
            let message = format!(
                "An event source mapping with event source arn ({}) and function ({}) already exists. Please update or delete \
                 the existing mapping with UUID {id}",
                source.unwrap_or_default(),
                description.function_name.unwrap_or_default()
            );
            return Err(Failure::new("ResourceConflictException", message).with_status(StatusCode::CONFLICT));
        }
        drop(all);
        self.begin(&id, description, "Creating", false)
    }

    fn update(&self, id: &str, description: Description) -> Answer {
        let _changing = self.changing();
        let there = self.all.all().get(id).cloned().ok_or_else(not_found)?;
        let mut description = description.over(there.description);
        description.function_name = Some(self.function_arn(&description)?);
        self.begin(id, description, "Updating", there.is_of_template)
    }

    /// Keeps a description, and reads from now on as it says.
    fn begin(&self, id: &str, description: Description, state: &str, is_of_template: bool) -> Answer {
        let mapping = self.mapping(id, &description)?;
        self.check_queue(&mapping)?;
        filters(&mapping).map_err(|error| invalid(error.to_string()))?;
        let changed_at = OffsetDateTime::now_utc().unix_timestamp();
        let described = Mapping { description, changed_at, is_of_template };
        let told = self.told(id, &described, state)?;
        self.all.change(|all| {
            all.insert(id.to_owned(), described);
            Ok(())
        })?;
        self.read(id, mapping)?;
        Ok(told)
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: &str) -> Answer {
        let all = self.all.all();
        let mapping = all.get(id).ok_or_else(not_found)?;
        self.told(id, mapping, state(mapping))
    }

    fn delete(&self, id: &str) -> Answer {
        let _changing = self.changing();
        let mapping = self.all.change(|all| all.remove(id).ok_or_else(not_found))?;
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.told(id, &mapping, "Deleting")
    }

    fn list(&self, asked: &Asked) -> Answer {
        let function = asked.function.as_deref().map(|name| self.function(name)).transpose()?;
        let function = function.map(|name| self.services.location.arn_of(&Target::Function(name)));
        let all = self.all.all();
        let is_asked = |mapping: &Mapping| {
            let description = &mapping.description;
            (asked.source.is_none() || description.event_source_arn == asked.source)
                && (function.is_none() || description.function_name == function)
        };
        let found = all.range(after(asked.marker.as_deref())).filter(|(_, mapping)| is_asked(mapping));
        let told: Vec<(&str, Value)> = found
            .map(|(id, mapping)| Ok((id.as_str(), self.told(id, mapping, state(mapping))?)))
            .collect::<Result<_, Failure>>()?;
        let mut answer = page("EventSourceMappings", told.into_iter(), asked.most.unwrap_or(PAGE).min(PAGE));
        if let Value::Object(fields) = &mut answer
            && let Some(token) = fields.shift_remove("NextToken")
        {
            fields.insert("NextMarker".to_owned(), token);
        }
        Ok(answer)
    }

    fn told(&self, id: &str, mapping: &Mapping, state: &str) -> Answer {
        let mut told = mapping.description.told()?;
        told["UUID"] = json!(id);
        told["EventSourceMappingArn"] =
            json!(self.services.location.arn("lambda", &format!("event-source-mapping:{id}")));
        told["State"] = json!(state);
        told["StateTransitionReason"] = json!("USER_INITIATED");
        told["LastModified"] = json!(mapping.changed_at);
        Ok(told)
    }

    /// The ARN of the function that a description names.
    fn function_arn(&self, description: &Description) -> Result<String, Failure> {
        let name = description.function_name.as_deref().ok_or_else(|| invalid("FunctionName is required."))?;
        Ok(self.services.location.arn_of(&Target::Function(self.function(name)?)))
    }

    /// The name of a function, by its name or its ARN.
    fn function(&self, name: &str) -> Result<String, Failure> {
        let found = self.services.lambda.registry().find(name).map_err(|error| {
            Failure::new("ResourceNotFoundException", error.to_string()).with_status(StatusCode::NOT_FOUND)
        })?;
        Ok(found.function.name.clone())
    }

    /// What is read by a description.
    fn mapping(&self, id: &str, description: &Description) -> Result<EventSourceMapping, Failure> {
        let function = self.function(description.function_name.as_deref().unwrap_or_default())?;
        description.mapping(self.names.get(id).map_or(id, String::as_str), &function)
    }

    /// Lambda refuses a queue that gives a message once more while the function is still at work on it.
    fn check_queue(&self, mapping: &EventSourceMapping) -> Result<(), Failure> {
        let MappingSource::Queue { arn, .. } = &mapping.source else { return Ok(()) };
        let Services { sqs, lambda, .. } = &self.services;
        let queue = sqs.name_of(arn).ok_or_else(|| {
            invalid(format!("Error occurred while ReceiveMessage. SQS Error Code: QueueDoesNotExist ({arn})"))
        })?;
        let visibility = sqs.visibility_timeout(&queue)?.as_secs();
        let timeout = lambda.registry().find(&mapping.function).map(|deployed| deployed.function.timeout.as_secs());
        match timeout {
            Ok(timeout) if visibility < timeout => Err(invalid(format!(
                "Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
            ))),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Mappings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mappings").finish_non_exhaustive()
    }
}

fn filters(mapping: &EventSourceMapping) -> Result<Vec<Pattern>, MappingsError> {
    let refused = |error| MappingsError::Filter { mapping: mapping.name.clone(), error };
    mapping.filters.iter().map(Pattern::parse).collect::<Result<_, _>>().map_err(refused)
}

fn state(mapping: &Mapping) -> &'static str {
    if mapping.description.is_enabled() { "Enabled" } else { "Disabled" }
}

fn not_found() -> Failure {
    Failure::new("ResourceNotFoundException", "The resource you requested does not exist.")
        .with_status(StatusCode::NOT_FOUND)
}

/// The id of a mapping of the template: the same at each start.
fn id_of(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash).for_each(|(byte, of_hash)| *byte = of_hash);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
