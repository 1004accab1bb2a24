//! Routes that start and stop executions by themselves.
//!
//! Source: the API Gateway Developer Guide, "Integration subtype reference" and "Transform API requests and responses".

use std::collections::BTreeMap;

use axum::body::Body;
use http::{StatusCode, header::CONTENT_TYPE};
use sam::StateMachineAction;
use serde_json::{Map, Value, json};

use super::exchange::{Exchange, message, query_pairs};
use crate::service::{Response, Service};

/// The parameters of an integration, and what Step Functions calls each.
const PARAMETERS: [(&str, &str); 8] = [
    ("StateMachineArn", "stateMachineArn"),
    ("ExecutionArn", "executionArn"),
    ("Name", "name"),
    ("Input", "input"),
    ("TraceHeader", "traceHeader"),
    ("Error", "error"),
    ("Cause", "cause"),
    // There is one region.
    ("Region", ""),
];

impl Exchange<'_> {
    /// Asks Step Functions for what a route wants, and gives its answer.
    pub(super) async fn execute(
        &self,
        states: &dyn Service,
        action: StateMachineAction,
        parameters: &BTreeMap<String, String>,
    ) -> Response {
        let mut request = Map::new();
        for (name, value) in parameters {
            let Some((_, parameter)) = PARAMETERS.iter().find(|(known, _)| known == name) else {
                tracing::error!(parameter = name, "an integration has a parameter that Step Functions does not have");
                return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
            };
            if let (false, Some(value)) = (parameter.is_empty(), self.mapped(value)) {
                request.insert((*parameter).to_owned(), value.into());
            }
        }
        let operation = match action {
            StateMachineAction::Start => "StartExecution",
            StateMachineAction::StartSync => "StartSyncExecution",
            StateMachineAction::Stop => "StopExecution",
        };
        let request = http::Request::post("/")
            .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
            .header(CONTENT_TYPE, "application/x-amz-json-1.0")
            .body(Body::from(Value::from(request).to_string()));
        match request {
            Ok(request) => states.call(request).await,
            Err(_) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        }
    }

    /// What a parameter stands for: `$request.…` and `$context.…` for parts of the request, anything else for itself.
    fn mapped(&self, value: &str) -> Option<String> {
        let Some(path) = value.strip_prefix("$request.") else {
            return match value {
                "$context.requestId" => Some(uuid::Uuid::new_v4().to_string()),
                "$context.apiId" => Some(self.api.logical_id.clone()),
                "$context.stage" => Some(self.api.stage.clone()),
                "$context.httpMethod" => Some(self.parts.method.to_string()),
                _ => Some(value.to_owned()),
            };
        };
        match path.split_once('.').unwrap_or((path, "")) {
            ("body", "") => Some(self.body().0.unwrap_or_else(|| json!({}).to_string())),
            ("body", path) => {
                let body: Value = serde_json::from_slice(self.body).ok()?;
                let part = path.split('.').try_fold(&body, |part, name| part.get(name))?;
                Some(part.as_str().map_or_else(|| part.to_string(), str::to_owned))
            }
            ("header", name) => self.parts.headers.get(name)?.to_str().ok().map(str::to_owned),
            ("querystring", name) => {
                let pairs = query_pairs(self.parts.uri.query().unwrap_or_default());
                pairs.into_iter().find(|(given, _)| given == name).map(|(_, value)| value)
            }
            ("path", "") => Some(self.path.to_owned()),
            ("path", name) => self.path_parameters.get(name).cloned(),
            ("method", _) => Some(self.parts.method.to_string()),
            _ => None,
        }
    }
}
