//! A local cloud whose state machines are made by its API.

use std::{collections::BTreeMap, sync::Arc};

use asl::Fault;
use cloud::{
    local::{LocalCloud, Options},
    states::Start,
};
use engine::{Outcome, mock::MockConfig};
use http_body_util::BodyExt;
use sam::Application;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) struct Stage {
    pub(crate) cloud: LocalCloud,
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with_mocks(None).await
    }

    pub(crate) async fn with_mocks(mocks: Option<MockConfig>) -> Self {
        Self::of(Application::default(), mocks).await
    }

    /// A cloud whose HTTP tasks may call addresses beyond this machine.
    pub(crate) async fn with_network() -> Self {
        Self::with(Application::default(), Options { network: true, ..Options::default() }).await
    }

    /// A cloud with what an application describes.
    pub(crate) async fn of(application: Application, mocks: Option<MockConfig>) -> Self {
        Self::with(application, Options { mocks: mocks.map(Arc::new), ..Options::default() }).await
    }

    async fn with(application: Application, options: Options) -> Self {
        let options = Options { skip_waits: true, ..options };
        Self { cloud: LocalCloud::start(&application, &BTreeMap::new(), options).await.unwrap() }
    }

    /// What Step Functions answers.
    pub(crate) async fn states(&self, operation: &str, request: Value) -> (u16, Value) {
        let target = format!("AWSStepFunctions.{operation}");
        let request = http::Request::post("/").header("x-amz-target", target).body(request.to_string().into()).unwrap();
        let response = self.cloud.send(request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// The ARN of a new state machine.
    pub(crate) async fn machine(&self, definition: &Value) -> String {
        self.machine_of_name(&Uuid::new_v4().to_string(), definition).await
    }

    /// The ARN of a new state machine of this name.
    pub(crate) async fn machine_of_name(&self, name: &str, definition: &Value) -> String {
        let request = json!({
            "name": name,
            "definition": definition.to_string(),
            "roleArn": "arn:aws:iam::000000000000:role/any",
        });
        let (status, answer) = self.states("CreateStateMachine", request).await;
        assert_eq!(status, 200, "{answer}");
        answer["stateMachineArn"].as_str().unwrap().to_owned()
    }

    /// How an execution of a definition ends.
    pub(crate) async fn run(&self, definition: &Value) -> Result<Value, Fault> {
        let arn = self.machine(definition).await;
        self.end(&arn).await
    }

    /// How an execution of a state machine ends.
    pub(crate) async fn end(&self, arn: &str) -> Result<Value, Fault> {
        let running = self.cloud.states().start(arn, Start::default()).unwrap();
        match running.ended().await {
            Outcome::Succeeded(output) => Ok(serde_json::to_value(&output).unwrap()),
            Outcome::Failed(fault) | Outcome::TimedOut(fault) | Outcome::Aborted(fault) => Err(fault),
        }
    }

    /// The result of a task that calls a service with these parameters.
    pub(crate) async fn call(&self, resource: &str, parameters: Value) -> Result<Value, Fault> {
        self.run(&task(resource, &parameters)).await
    }

    /// The same, of one that succeeds.
    pub(crate) async fn result(&self, resource: &str, parameters: Value) -> Value {
        self.call(resource, parameters).await.unwrap_or_else(|fault| panic!("{resource}: {fault:?}"))
    }

    /// The error's name and cause, with every id as `<id>`.
    pub(crate) async fn fault(&self, resource: &str, parameters: Value) -> (String, String) {
        let fault = self.call(resource, parameters).await.unwrap_err();
        let text = |text: Option<Arc<str>>| text.unwrap_or_default().to_string();
        (text(fault.error), without_ids(&text(fault.cause)))
    }
}

/// A machine of one task.
pub(crate) fn task(resource: &str, parameters: &Value) -> Value {
    let resource = format!("arn:aws:states:::{resource}");
    let task = json!({ "Type": "Task", "Resource": resource, "Parameters": parameters, "End": true });
    json!({ "StartAt": "Task", "States": { "Task": task } })
}

fn without_ids(text: &str) -> String {
    let words = text.split_inclusive([' ', ',', ';', ')', '"']);
    let words = words.map(|word| {
        let id = word.trim_end_matches([' ', ',', ';', ')', '"']);
        if Uuid::parse_str(id).is_ok() { word.replace(id, "<id>") } else { word.to_owned() }
    });
    words.collect()
}
