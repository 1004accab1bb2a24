//! Calls of services by their own protocols, through the same door as everybody's.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock, Weak},
};

use asl::{Fault, Value, machine::Resource, value::Object};
use engine::{
    Identity,
    core::Call,
    services::{Integration, Operation, Optimised, exception, values},
};
use http::StatusCode;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::{
    action::Action,
    response::{Header, with_metadata},
};
use crate::{
    service::Service,
    states::{
        put_events,
        sdk::{self, Answer, Refusal},
    },
};

/// The code of an answer to a call of a service that is not emulated.
const NOT_EMULATED: &str = "ServiceNotEmulated";

/// A call under way.
pub type Called = Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send>>;

/// Calls an action of services for a task, where these services have it and Step Functions does no more than hand on the
/// call and its answer.
pub fn call_service(services: &Arc<impl Service>, execution: &Identity, call: &Call) -> Option<Called> {
    let Resource::Service { service, action, .. } = &call.resource else { return None };
    let Some(Action::Call(operation)) = Action::of(service, action) else { return None };
    let calls = Services::default();
    calls.connect(services);
    Some(Box::pin(calls.call(operation, execution, call)))
}

/// The services that answer.
#[derive(Default)]
pub(super) struct Services(OnceLock<Weak<dyn Service>>);

impl Services {
    /// Where they are. Given once.
    pub(super) fn connect(&self, services: &Arc<impl Service>) {
        let services: Weak<dyn Service> = Arc::downgrade(services) as _;
        let _ = self.0.set(services);
    }

    /// All of them behind their one door, while they are there.
    pub(super) fn all(&self) -> Option<Arc<dyn Service>> {
        self.0.get().and_then(Weak::upgrade)
    }

    /// Calls an action with a task's parameters.
    pub(super) fn call(
        &self,
        operation: Operation,
        execution: &Identity,
        call: &Call,
    ) -> impl Future<Output = Result<Value, Fault>> + Send + use<> {
        let services = self.all();
        let request = request(&operation, execution, call);
        async move {
            let request = request?;
            let stopped = || Fault::new(format!("{}.ServiceException", prefix(&operation)), "The runner stops.");
            let response = services.ok_or_else(stopped)?.call(request).await;
            let answer = sdk::answer(&operation, response).await;
            let answer = answer.map_err(|error| {
                let error_name = format!("{}.SdkClientException", prefix(&operation));
                Fault::new(error_name, format!("Unable to read the answer: {error}"))
            })?;
            result(&operation, &answer)
        }
    }
}

fn request(operation: &Operation, execution: &Identity, call: &Call) -> Result<crate::service::Request, Fault> {
    let parameters = match operation.integration {
        Integration::Optimised(Optimised { name: "events", .. }) => put_events::with_sender(&call.input, execution),
        _ => call.input.clone(),
    };
    let unusable = |why: &dyn std::fmt::Display| {
        Fault::runtime(format!("The Parameters '{}' could not be used to start the Task: [{why}]", call.input))
    };
    let token = call.uuid(execution).to_string();
    let parameters = operation.parameters(&parameters, &token).map_err(|misfit| unusable(&misfit))?;
    sdk::request(operation, &parameters).map_err(|error| unusable(&error))
}

/// What a task's result is, by its integration.
fn result(operation: &Operation, answer: &Answer) -> Result<Value, Fault> {
    let said = match &answer.said {
        Ok(said) => said,
        Err(refusal) => return Err(fault(operation, answer, refusal)),
    };
    let fields = match operation.model.structure(operation.action.output.as_deref()) {
        Some(shape) => values::result(operation.model, operation.style(), shape, said),
        None => Object::new(),
    };
    match operation.integration {
        Integration::Sdk => Ok(fields.into()),
        Integration::Optimised(Optimised { name: "events", .. }) => put_events::result(fields.into()),
        Integration::Optimised(_) => Ok(told(answer, fields)),
    }
}

/// An answer with what the SDK tells of the call.
fn told(answer: &Answer, fields: Object) -> Value {
    let (length, date) = (answer.length.to_string(), OffsetDateTime::now_utc().format(&Rfc2822).unwrap_or_default());
    let content_type = answer.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let headers = [
        Header("Content-Length", &length),
        Header("Content-Type", content_type.unwrap_or_default()),
        Header("Date", &date),
        Header("connection", "keep-alive"),
        Header("x-amzn-RequestId", &answer.request_id),
    ];
    with_metadata(fields, &headers, &answer.request_id)
}

/// What the names of an integration's errors begin with.
fn prefix(operation: &Operation) -> &'static str {
    match operation.integration {
        Integration::Sdk => operation.service.title,
        Integration::Optimised(optimised) => optimised.prefix,
    }
}

/// The service's own error, as the integration words it.
fn fault(operation: &Operation, answer: &Answer, refusal: &Refusal) -> Fault {
    let Refusal { code, message } = refusal;
    if answer.status == StatusCode::NOT_IMPLEMENTED && code == NOT_EMULATED {
        return Fault::runtime(message.as_str());
    }
    let errors = &operation.model.errors;
    let shape = errors.get(code).or_else(|| errors.values().find(|shape| *shape == code));
    let (status, id) = (answer.status.as_u16(), &answer.request_id);
    match operation.integration {
        Integration::Sdk => {
            let title = operation.service.title;
            let error = shape.map_or_else(|| format!("{title}Exception"), |shape| exception(shape));
            let extended = answer.headers.get("x-amz-id-2").and_then(|id| id.to_str().ok());
            let extended = extended.map(|id| format!(", Extended Request ID: {id}")).unwrap_or_default();
            let cause = format!(
                "{message} (Service: {title}, Status Code: {status}, Request ID: {id}{extended}) (SDK Attempt Count: 1)"
            );
            Fault::new(format!("{title}.{error}"), cause)
        }
        Integration::Optimised(Optimised { prefix, client, .. }) => {
            let error = match shape {
                Some(shape) if shape.ends_with("Exception") => shape.clone(),
                Some(shape) => format!("{shape}Exception"),
                // The class of the client's errors that have none of their own.
                None => format!("{}Exception", client.trim_end_matches("v2")),
            };
            let cause = format!(
                "{message} (Service: {client}; Status Code: {status}; Error Code: {code}; Request ID: {id}; Proxy: null)"
            );
            Fault::new(format!("{prefix}.{error}"), cause)
        }
    }
}
