//! What `EventBridge` is told of Standard executions: that they have begun, and how they ended.

use std::sync::Arc;

use engine::{Execution, Identity, NotRedrivable, Outcome, Redrive, Status, run::Running};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::describe;
use crate::events::Event;

/// The most bytes of input and output in an event, as they stand in its JSON text.
const MAX_DATA: usize = 248 * 1024;

/// An execution has begun or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusChange {
    execution_arn: Arc<str>,
    at: OffsetDateTime,
    detail: Value,
}

impl StatusChange {
    /// An execution has begun, or was redriven.
    fn begun(identity: &Identity, redrive: Option<Redrive>) -> Self {
        Self::new(identity, None, redrive, Err(NotRedrivable::Running))
    }

    /// An execution as it is now.
    fn of(execution: &Execution) -> Self {
        let ended_at = execution.history().last().filter(|last| last.kind.ends_execution()).map(|last| last.at);
        let redrivable = execution.redrivable(ended_at.unwrap_or(execution.identity().started_at));
        Self::new(execution.identity(), execution.outcome().zip(ended_at), execution.redriven(), redrivable)
    }

    fn new(
        identity: &Identity,
        end: Option<(Outcome, OffsetDateTime)>,
        redrive: Option<Redrive>,
        redrivable: Result<(), NotRedrivable>,
    ) -> Self {
        let (redrive_status, redrive_reason) = describe::redrive_status(identity, redrivable);
        let (outcome, ended_at) = end.unzip();
        let status = Status::after(outcome.as_ref());
        let input = identity.input.to_string();
        let (output, fault) = match outcome {
            Some(Outcome::Succeeded(output)) => (Some(output.to_string()), None),
            Some(Outcome::Failed(fault) | Outcome::Aborted(fault)) => (None, Some(fault)),
            // As the API, the event tells neither error nor cause of a time-out.
            Some(Outcome::TimedOut(_)) | None => (None, None),
        };
        let output_size = output.as_deref().map_or(0, escaped_size);
        let output_fits = output_size <= MAX_DATA;
        let input_fits = escaped_size(&input) + output_size <= MAX_DATA;
        let part = |part: fn(&asl::Fault) -> &Option<Arc<str>>| fault.as_ref().and_then(|fault| part(fault).clone());
        let detail = json!({
            "executionArn": identity.arn,
            "stateMachineArn": identity.state_machine_arn,
            "name": identity.name,
            "status": status.name(),
            "startDate": milliseconds(identity.started_at),
            "stopDate": ended_at.map(milliseconds),
            "input": input_fits.then_some(input),
            "output": output.as_deref().filter(|_| output_fits),
            "stateMachineVersionArn": identity.state_machine_version_arn,
            "stateMachineAliasArn": identity.state_machine_alias_arn,
            "redriveCount": redrive.map_or(0, |redrive| redrive.count),
            "redriveDate": redrive.map(|redrive| milliseconds(redrive.at)),
            "redriveStatus": redrive_status,
            "redriveStatusReason": redrive_reason,
            "inputDetails": { "included": input_fits },
            "outputDetails": output.is_some().then(|| json!({ "included": output_fits })),
            "error": part(|fault| &fault.error),
            "cause": part(|fault| &fault.cause),
        });
        let began_at = redrive.map_or(identity.started_at, |redrive| redrive.at);
        Self { execution_arn: identity.arn.clone(), at: ended_at.unwrap_or(began_at), detail }
    }

    /// The event that tells it.
    pub fn event(&self) -> Event {
        let resource = self.execution_arn.to_string();
        Event::of_service(
            "aws.states",
            "Step Functions Execution Status Change",
            resource,
            self.detail.clone(),
            self.at,
        )
    }
}

/// Tells that an execution has begun, or was redriven.
pub(super) fn tell_begun(running: &Running, changes: &mpsc::UnboundedSender<StatusChange>) {
    // Nobody may listen any more; that is no error.
    let redrive = running.look(|execution| execution.redriven());
    let _ = changes.send(StatusChange::begun(running.identity(), redrive));
}

/// Tells of the end of an execution. Must be called inside a Tokio runtime.
pub(super) fn follow(running: &Arc<Running>, changes: &mpsc::UnboundedSender<StatusChange>) {
    if running.look(|execution| execution.has_ended()) {
        return tell_ended(running, changes);
    }
    let (running, changes) = (running.clone(), changes.clone());
    tokio::spawn(async move {
        running.ended().await;
        tell_ended(&running, &changes);
    });
}

fn tell_ended(running: &Running, changes: &mpsc::UnboundedSender<StatusChange>) {
    let _ = changes.send(running.look(StatusChange::of));
}

fn milliseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// How many bytes a text has as a JSON string.
fn escaped_size(text: &str) -> usize {
    asl::Value::from(text).text_len(MAX_DATA)
}

#[cfg(test)]
mod tests {
    use asl::{Machine, value::Object};
    use engine::Happened;

    use super::*;

    /// An execution with this input of a machine with these further fields in its one state.
    fn ended(input: asl::Value, state: &str) -> Execution {
        let definition = format!(r#"{{"StartAt":"S","States":{{"S":{{{state}}}}}}}"#);
        let machine = Machine::compile(&asl::Value::parse(&definition).unwrap()).unwrap();
        let identity = Identity {
            arn: "arn:e".into(),
            name: "e".into(),
            state_machine_arn: "arn:m".into(),
            state_machine_name: "m".into(),
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
            map_run_arn: None,
            item_count: None,
            revision: Arc::default(),
            role_arn: "arn:r".into(),
            region: "us-east-1".into(),
            started_at: OffsetDateTime::UNIX_EPOCH,
            input,
            trace_header: None,
            mocked: None,
            seed: 1,
        };
        let mut execution = Execution::new(Arc::new(machine), Arc::new(identity));
        execution.step(Happened::Started, OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(1500));
        execution
    }

    #[test]
    fn an_event_tells_how_an_execution_ended() {
        let failed = StatusChange::of(&ended(asl::Value::Null, r#""Type":"Fail","Error":"E""#)).event();
        assert_eq!((&*failed.source, &*failed.detail_type), ("aws.states", "Step Functions Execution Status Change"));
        assert_eq!(failed.resources, ["arn:e"]);
        for (key, value) in [
            ("status", json!("FAILED")),
            ("startDate", json!(0)),
            ("stopDate", json!(1500)),
            ("input", json!("null")),
            ("output", Value::Null),
            ("outputDetails", Value::Null),
            ("error", json!("E")),
            ("cause", Value::Null),
            ("redriveStatus", json!("REDRIVABLE")),
            ("redriveStatusReason", Value::Null),
        ] {
            assert_eq!(failed.detail[key], value, "{key}");
        }
        let waits = StatusChange::of(&ended(asl::Value::Null, r#""Type":"Wait","Seconds":1,"End":true"#)).event();
        assert_eq!((&waits.detail["status"], &waits.detail["stopDate"]), (&json!("RUNNING"), &Value::Null));
        assert_eq!(waits.detail["redriveStatusReason"], "Execution is RUNNING and cannot be redriven");
    }

    #[test]
    fn data_that_are_too_large_are_left_out() {
        let text = |size: usize| asl::Value::from("a".repeat(size));
        let as_pass = r#""Type":"Pass","End":true"#;
        let no_output = r#""Type":"Pass","OutputPath":null,"End":true"#;
        for (input, state, included) in [
            (text(100_000), as_pass, (true, true)),
            (text(130_000), as_pass, (false, true)),
            (text(253_950), no_output, (false, true)),
            (asl::Value::from(Object::from_iter([("a".into(), text(260_000))])), as_pass, (false, false)),
        ] {
            let detail = StatusChange::of(&ended(input, state)).event().detail;
            let found = (&detail["inputDetails"]["included"], &detail["outputDetails"]["included"]);
            assert_eq!(found, (&json!(included.0), &json!(included.1)));
            assert_eq!((detail["input"].is_string(), detail["output"].is_string()), included);
        }
    }
}
