//! Who is told of what became of events that functions were invoked with.
//!
//! Source: the Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations".

use std::collections::BTreeMap;

use sam::{EventInvoke, Target};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    lambda::{EventEnd, EventOutcome, NotRun},
    location::Location,
    sqs::{Attribute, Outgoing},
    targets::Targets,
    wire,
};

/// How much of an error's text goes with an event to a dead-letter queue.
const MAX_ERROR: usize = 1024;

/// The destinations of functions.
pub(crate) struct Destinations {
    by_function: BTreeMap<String, EventInvoke>,
    targets: Targets,
    location: Location,
}

impl Destinations {
    pub(crate) fn new(application: &sam::Application, targets: Targets, location: Location) -> Self {
        let functions = application.functions.iter();
        let by_function = functions.map(|function| (function.name.clone(), function.event_invoke.clone())).collect();
        Self { by_function, targets, location }
    }

    /// Tells of an end those who want to be told.
    pub(crate) fn tell(&self, end: &EventEnd) {
        let wanted = self.by_function.get(&end.function);
        let is_done = matches!(end.outcome, EventOutcome::Done(_));
        let destination =
            wanted.and_then(|wanted| if is_done { &wanted.on_success } else { &wanted.on_failure }.as_ref());
        let dead_letters = wanted.and_then(|wanted| wanted.dead_letters.as_ref()).filter(|_| !is_done);
        if let Some(target) = destination {
            let told = self.record(end).to_string();
            match self.targets.give(target, &told, None) {
                Ok(()) if is_done => {}
                Ok(()) => self.tell_where(end, target, "an event is given up: its destination is told"),
                Err(error) => {
                    tracing::error!(function = end.function, %error, "a destination could not be told of an event");
                }
            }
        }
        if let Some(target) = dead_letters {
            self.bury(end, target);
        }
        if let (false, None, None) = (is_done, destination, dead_letters) {
            let EventEnd { function, request_id, attempts, .. } = end;
            tracing::error!(
                function,
                request_id,
                attempts,
                "an event is given up and lost: the function has no destination for failures and no dead-letter queue"
            );
        }
    }

    fn tell_where(&self, end: &EventEnd, target: &Target, what: &str) {
        let EventEnd { function, request_id, attempts, .. } = end;
        let to = self.location.arn_of(target);
        tracing::error!(function, request_id, attempts, to, "{what}");
    }

    fn record(&self, end: &EventEnd) -> Value {
        let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        let (condition, response) = match &end.outcome {
            EventOutcome::Done(answer) => ("Success", Some((None, json(answer)))),
            EventOutcome::Failed(error) => ("RetriesExhausted", Some((Some("Unhandled"), json(error)))),
            EventOutcome::NotRun(NotRun::EventAgeExceeded) => ("EventAgeExceeded", None),
            EventOutcome::NotRun(NotRun::ZeroReservedConcurrency) => ("ZeroReservedConcurrency", None),
            EventOutcome::NotRun(NotRun::Error(_)) => ("RetriesExhausted", None),
        };
        let arn = self.location.arn_of(&Target::Function(end.function.clone()));
        let mut record = json!({
            "version": "1.0",
            "timestamp": wire::timestamp(OffsetDateTime::now_utc()),
            "requestContext": {
                "requestId": end.request_id,
                "functionArn": format!("{arn}:$LATEST"),
                "condition": condition,
                "approximateInvokeCount": end.attempts,
            },
            "requestPayload": json(&end.payload),
        });
        if let Some((error, payload)) = response {
            record["responseContext"] = json!({ "statusCode": 200, "executedVersion": "$LATEST" });
            if let Some(error) = error {
                record["responseContext"]["functionError"] = json!(error);
            }
            record["responsePayload"] = payload;
        }
        record
    }

    /// Gives an event as it was to a dead-letter queue, with what is known of the error in its attributes.
    fn bury(&self, end: &EventEnd, target: &Target) {
        let error = match &end.outcome {
            EventOutcome::Done(_) => return,
            EventOutcome::Failed(error) => {
                let error: Value = serde_json::from_slice(error).unwrap_or_default();
                error["errorMessage"].as_str().unwrap_or_default().to_owned()
            }
            EventOutcome::NotRun(reason) => reason.to_string(),
        };
        let mut error: String = error.chars().take(MAX_ERROR).collect();
        if error.is_empty() {
            "an error without a message".clone_into(&mut error);
        }
        let attribute = |kind: &str, value: &str| Attribute {
            data_type: kind.to_owned(),
            string_value: Some(value.to_owned()),
            binary_value: None,
        };
        let body = String::from_utf8_lossy(&end.payload).into_owned();
        let given = match target {
            Target::Queue(arn) => {
                let attributes = BTreeMap::from([
                    ("RequestID".to_owned(), attribute("String", &end.request_id)),
                    ("ErrorCode".to_owned(), attribute("Number", "200")),
                    ("ErrorMessage".to_owned(), attribute("String", &error)),
                ]);
                let message = Outgoing { body, attributes, ..Outgoing::default() };
                let queue = self.targets.sqs.name_of(arn).ok_or_else(|| format!("there is no queue {arn}"));
                queue.and_then(|queue| {
                    self.targets.sqs.send(&queue, &message).map(drop).map_err(|failure| failure.to_string())
                })
            }
            other => self.targets.give(other, &body, None).map_err(|error| error.to_string()),
        };
        match given {
            Ok(()) => self.tell_where(end, target, "an event is given up: it is in the dead-letter queue"),
            Err(error) => {
                let function = &end.function;
                tracing::error!(function, error, "an event is lost: the dead-letter queue does not take it");
            }
        }
    }
}
