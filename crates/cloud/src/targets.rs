//! Whom events, changes and schedules start or tell.

use std::sync::Arc;

use bytes::Bytes;
use sam::Target;
use time::OffsetDateTime;

use crate::{
    lambda::{InvokeOptions, Lambda},
    logs::{LogEvent, Logs},
    sns::{Publication, Sns},
    sqs::{Outgoing, Sqs},
    states::{Start, States},
};

/// The services whose things can be targets.
#[derive(Clone)]
pub struct Targets {
    /// Functions.
    pub lambda: Arc<Lambda>,
    /// State machines.
    pub states: Arc<States>,
    /// Queues.
    pub sqs: Arc<Sqs>,
    /// Topics.
    pub sns: Arc<Sns>,
    /// Log groups.
    pub logs: Arc<Logs>,
}

/// A target could not be given its input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct NotGiven {
    /// The name of what is wrong: `NO_PERMISSIONS`, `SDK_CLIENT_ERROR`.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl NotGiven {
    fn because(error: &impl std::fmt::Display) -> Self {
        Self { code: "SDK_CLIENT_ERROR".to_owned(), message: error.to_string() }
    }
}

impl Targets {
    /// Gives a target its input. What a function or a state machine then does with it is theirs.
    pub fn give(&self, target: &Target, input: &str, message_group_id: Option<&str>) -> Result<(), NotGiven> {
        let group_id = message_group_id.map(str::to_owned);
        match target {
            Target::Function(name) => {
                let input = Bytes::from(input.to_owned());
                let started = self.lambda.invoke_event(name, input, InvokeOptions::default());
                started.map(drop).map_err(|error| NotGiven::because(&error))
            }
            Target::StateMachine(arn) => {
                let started = self.states.start(arn, Start { input: Some(input), ..Start::default() });
                started.map(drop).map_err(|error| NotGiven::because(&error))
            }
            Target::Queue(arn) => {
                let Some(queue) = self.sqs.name_of(arn) else { return Err(not_there(arn)) };
                let message = Outgoing { body: input.to_owned(), group_id, ..Outgoing::default() };
                self.sqs.send(&queue, &message).map(drop).map_err(|error| NotGiven::because(&error))
            }
            Target::Topic(arn) => {
                let publication = Publication { message: input.to_owned(), group_id, ..Publication::default() };
                self.sns.publish(arn, &publication).map(drop).map_err(|error| NotGiven::because(&error))
            }
            Target::LogGroup(name) => {
                let at = OffsetDateTime::now_utc();
                let logged = LogEvent { at, message: input.to_owned() };
                self.logs.put(name, "events", logged).map_err(|error| NotGiven::because(&error))
            }
            // Only an event can go on to another bus, and EventBridge sends it itself.
            Target::EventBus(name) => Err(not_there(name)),
        }
    }
}

fn not_there(what: &str) -> NotGiven {
    NotGiven { code: "RESOURCE_NOT_FOUND".to_owned(), message: format!("{what} is not there") }
}

impl std::fmt::Debug for Targets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Targets").finish_non_exhaustive()
    }
}
