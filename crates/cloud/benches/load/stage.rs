//! A local cloud with a function, its machines, and its data on the disk.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use cloud::local::{LocalCloud, Options};
use sam::{Application, Code, Function, StateMachine, StateMachineKind};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A Standard machine with one Pass state.
pub(crate) const STANDARD: &str = "Standard";
/// An Express machine with one Pass state.
pub(crate) const EXPRESS: &str = "Express";
/// An Express machine with one Task state, which calls the function.
pub(crate) const TASK: &str = "Task";

pub(crate) struct Stage {
    pub(crate) cloud: LocalCloud,
    _folder: TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let executable = env::current_exe().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let options = Options { folder: Some(folder.path().to_owned()), ..Options::default() };
        let cloud = LocalCloud::start(&application(&executable), &BTreeMap::new(), options).await.unwrap();
        Self { cloud, _folder: folder }
    }
}

/// The function: gives back what it gets.
pub(crate) async fn function() {
    let echo = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<Value>| {
        Ok::<_, lambda_runtime::Error>(event.payload)
    });
    lambda_runtime::run(echo).await.unwrap();
}

/// The ARN of a machine.
pub(crate) fn arn(machine: &str) -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{machine}")
}

fn application(executable: &Path) -> Application {
    let function = "arn:aws:lambda:us-east-1:000000000000:function:Echo";
    let one = |state: Value| json!({ "StartAt": "One", "States": { "One": state } });
    let pass = one(json!({ "Type": "Pass", "End": true }));
    let task = one(json!({ "Type": "Task", "Resource": function, "End": true }));
    Application {
        template: PathBuf::from("template.yaml"),
        stack_name: "bench".into(),
        functions: vec![Function {
            logical_id: "Echo".into(),
            name: "Echo".into(),
            arn: function.into(),
            code: Code::Bootstrap { path: executable.to_owned() },
            handler: "bootstrap".into(),
            runtime: "provided.al2023".into(),
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            environment: BTreeMap::new(),
            log_group: "/aws/lambda/Echo".into(),
            log_format: sam::LogFormat::Text,
            event_invoke: sam::EventInvoke::default(),
            layers: Vec::new(),
            reserved_concurrency: None,
            alias: None,
        }],
        state_machines: vec![
            machine(STANDARD, StateMachineKind::Standard, pass.clone()),
            machine(EXPRESS, StateMachineKind::Express, pass),
            machine(TASK, StateMachineKind::Express, task),
        ],
        ..Application::default()
    }
}

fn machine(name: &str, kind: StateMachineKind, definition: Value) -> StateMachine {
    StateMachine {
        logical_id: name.into(),
        name: name.into(),
        arn: arn(name),
        kind,
        definition,
        definition_file: PathBuf::from("template.yaml"),
        logging: None,
        role_arn: "arn:aws:iam::000000000000:role/bench".into(),
    }
}
