//! Executions that live: which calls are made.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::sync::{Arc, Mutex};

use asl::{Machine, Value};
use engine::{
    Identity, Outcome,
    core::Call,
    run::{Answer, Outside, Reports, Running},
};
use serde_json::json;
use time::OffsetDateTime;

/// Answers every call with null, and keeps the names of the states that called.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Outside for Kept {
    fn call(&self, _: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        self.0.lock().unwrap().push(call.state.to_string());
        Box::pin(async { Ok(Value::Null) })
    }
}

fn identity() -> Identity {
    Identity {
        arn: "arn:aws:states:us-east-1:123456789012:execution:test:one".into(),
        name: "one".into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:test".into(),
        state_machine_name: "test".into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        revision: Arc::default(),
        role_arn: "arn:aws:iam::123456789012:role/test".into(),
        region: "us-east-1".into(),
        started_at: OffsetDateTime::UNIX_EPOCH,
        input: Value::empty_object(),
        trace_header: None,
        seed: 1,
    }
}

#[test]
fn a_call_that_is_cancelled_before_it_is_made_is_not_made() {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:any";
    let branch = |state| json!({ "StartAt": "In", "States": { "In": state } });
    let definition = json!({
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    branch(json!({ "Type": "Task", "Resource": function, "End": true })),
                    branch(json!({ "Type": "Fail", "Error": "Broken" })),
                ],
                "Catch": [{ "ErrorEquals": ["Broken"], "Next": "Recover" }],
                "End": true,
            },
            "Recover": { "Type": "Task", "Resource": function, "End": true },
        },
    });
    let machine = Machine::compile(&Value::from(&definition)).unwrap();
    let kept = Arc::new(Kept::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = runtime.block_on(async {
        let running = Running::start(Arc::new(machine), Arc::new(identity()), kept.clone());
        running.ended().await
    });
    assert_eq!(outcome, Outcome::Succeeded(Value::Null));
    assert_eq!(*kept.0.lock().unwrap(), ["Recover"]);
}
