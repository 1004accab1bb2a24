//! Executions that outlive their runner, and what becomes of those that can't.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod goes_on;
mod kept;
mod starts;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use asl::{Fault, Machine, Value};
use engine::{
    Identity, Status,
    core::Call,
    history,
    journal::{Definition, Journal, Listed, Wanted},
    run::{Answer, CallError, Executions, Outside, RedriveError, Redriven, Reports, Running, StartError, Started},
};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:test";

/// A call under way, for the test to answer.
type Asked = (Call, Reports, oneshot::Sender<Result<Value, CallError>>);

/// Gives every call to the test.
struct Asking(mpsc::UnboundedSender<Asked>);

impl Outside for Asking {
    fn call(&self, _: &Arc<Identity>, call: Call, reports: Reports) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.send((call, reports, answer)).unwrap();
        Box::pin(async move { answered.await.unwrap_or_else(|_| Err(Fault::named("NotAnswered").into())) })
    }
}

/// A runner with its journal in a folder.
struct Runner {
    executions: Arc<Executions>,
    asked: mpsc::UnboundedReceiver<Asked>,
}

impl Runner {
    fn on(folder: &TempDir) -> Self {
        let (asking, asked) = mpsc::unbounded_channel();
        let journal = Journal::open(folder.path()).unwrap();
        Self { executions: Executions::new(journal, Arc::new(Asking(asking))), asked }
    }

    fn start(&self, definition: &serde_json::Value, name: &str, input: &serde_json::Value) -> Arc<Running> {
        match self.try_start(definition, name, input).unwrap() {
            Started::New(running) => running,
            Started::Same(_) => panic!("{name} is there"),
        }
    }

    fn try_start(
        &self,
        definition: &serde_json::Value,
        name: &str,
        input: &serde_json::Value,
    ) -> Result<Started, StartError> {
        let machine = Machine::compile(&Value::from(definition)).unwrap();
        let definition = Definition::new(definition.to_string(), Arc::new(machine));
        let identity = Identity {
            arn: arn(name).into(),
            name: name.into(),
            state_machine_arn: MACHINE.into(),
            started_at: OffsetDateTime::now_utc(),
            input: Value::from(input),
            ..support::identity()
        };
        self.executions.start(&definition, identity)
    }

    fn find(&self, name: &str) -> Arc<Running> {
        self.executions.find(&arn(name)).unwrap().unwrap()
    }

    /// Executions of a machine.
    fn list(&self, machine_arn: &str, status: Option<Status>, older_than: Option<&str>, limit: usize) -> Vec<Listed> {
        let wanted = Wanted { machine_arn, status, older_than, ..Wanted::default() };
        self.executions.list(wanted, limit).unwrap()
    }

    async fn answer(&mut self, answer: &serde_json::Value) {
        let (_, _, call) = self.asked.recv().await.unwrap();
        call.send(Ok(Value::from(answer))).unwrap();
    }

    async fn fail(&mut self, error: &str) {
        let (_, _, call) = self.asked.recv().await.unwrap();
        call.send(Err(Fault::named(error).into())).unwrap();
    }

    fn redrive(&self, name: &str, token: &str) -> Result<Redriven, RedriveError> {
        self.executions.redrive(&arn(name), Some(token))
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:states:us-east-1:123456789012:execution:test:{name}")
}

fn types(running: &Running) -> Vec<String> {
    running.look(|execution| execution.history().iter().map(|event| history::event_type(&event.kind)).collect())
}

fn task() -> serde_json::Value {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:any";
    json!({ "StartAt": "Ask", "States": { "Ask": { "Type": "Task", "Resource": function, "End": true } } })
}

fn pass() -> serde_json::Value {
    json!({ "StartAt": "Pass", "States": { "Pass": { "Type": "Pass", "End": true } } })
}

/// A Wait state behind an expression, whether that can be evaluated or not.
fn evaluates(expression: &str) -> serde_json::Value {
    let catch = json!([{ "ErrorEquals": ["States.QueryEvaluationError"], "Next": "Wait" }]);
    json!({ "QueryLanguage": "JSONata", "StartAt": "Try", "States": {
        "Try": { "Type": "Parallel", "Catch": catch, "Next": "Wait", "Branches": [
            { "StartAt": "Evaluate", "States": { "Evaluate": { "Type": "Pass", "Output": expression, "End": true } } },
        ] },
        "Wait": { "Type": "Wait", "Seconds": 86400, "End": true },
    } })
}

/// The tables, as a person would look into them.
fn tables(folder: &TempDir) -> Connection {
    Connection::open(folder.path().join("journal.sqlite")).unwrap()
}
