//! Executions that end the runner whenever they are let go on.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use asl::{Fault, Machine, Value};
use engine::{
    Identity, Outcome,
    core::Call,
    journal::{Definition, Journal, RecallError},
    run::{Answer, Executions, Outside, Reports},
};
use serde_json::json;

use support::identity;

/// Never answers. A call of the state "Deadly" ends the runner, once it is armed.
struct Deadly(AtomicBool);

impl Outside for Deadly {
    fn call(&self, _: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        assert!(&*call.state != "Deadly" || !self.0.load(Ordering::Relaxed), "the runner ends");
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn what_ended_the_last_starts_is_left_alone_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let deadly = Arc::new(Deadly(AtomicBool::new(false)));
    let open = || Executions::new(Journal::open(folder.path()).unwrap(), deadly.clone());
    let executions = open();
    for name in ["One", "Deadly", "Other"] {
        let task = json!({"Type": "Task", "Resource": support::function(), "End": true});
        let text = json!({"StartAt": name, "States": {name: task}}).to_string();
        let machine = Arc::new(Machine::compile(&Value::parse(&text).unwrap()).unwrap());
        let identity = Identity { arn: name.into(), ..identity() };
        executions.start(&Definition::new(text, machine), identity).unwrap();
    }
    executions.close();
    deadly.0.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        let executions = open();
        assert!(catch_unwind(AssertUnwindSafe(|| executions.resume().map(drop))).is_err());
        executions.close();
    }
    for _ in 0..2 {
        let executions = open();
        let resumed = executions.resume().unwrap();
        let running: Vec<_> = resumed.running.iter().map(|running| running.identity().arn.to_string()).collect();
        assert_eq!(running, ["One", "Other"]);
        let [refused] = resumed.refused.as_slice() else { panic!("{:?}", resumed.refused) };
        assert!(matches!(refused, RecallError::EndsTheRunner { arn, starts: 2 } if &**arn == "Deadly"), "{refused}");
        executions.close();
    }
    let executions = open();
    executions.resume().unwrap();
    let deadly = executions.find("Deadly").unwrap().unwrap();
    deadly.stop(Fault::default()).unwrap();
    assert_eq!(deadly.ended().await, Outcome::Aborted(Fault::default()));
    executions.close();
    assert!(open().resume().unwrap().refused.is_empty());
}

#[tokio::test]
async fn a_start_that_ended_for_another_reason_sets_nothing_aside() {
    let folder = tempfile::tempdir().unwrap();
    let deadly = Arc::new(Deadly(AtomicBool::new(false)));
    let open = || Executions::new(Journal::open(folder.path()).unwrap(), deadly.clone());
    let executions = open();
    let text = json!({"StartAt": "Deadly", "States": {"Deadly": {
        "Type": "Task", "Resource": support::function(), "End": true}}})
    .to_string();
    let machine = Arc::new(Machine::compile(&Value::parse(&text).unwrap()).unwrap());
    executions.start(&Definition::new(text, machine), identity()).unwrap();
    executions.close();
    for is_deadly in [true, false, true, false] {
        deadly.0.store(is_deadly, Ordering::Relaxed);
        let executions = open();
        let resumed = catch_unwind(AssertUnwindSafe(|| executions.resume().unwrap().running.len()));
        assert_eq!(resumed.ok(), Some(1).filter(|_| !is_deadly));
        executions.close();
    }
}
