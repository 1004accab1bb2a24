//! What the Task states of a definition call, checked before it is taken: an execution must not find out.

use asl::{
    Diagnostic, Machine, Severity, Value,
    compile::Code,
    flow::DataFlow,
    machine::{Kind, Resource},
    template::Template,
};
use engine::services::{Operation, Service, optimised_actions, values::Misfit};

use super::{
    invoke::{self, Field},
    tasks::Action,
};
use crate::lambda::FunctionReference;

/// Everything that Task states call and that can't be called; of functions all but these, where they are known.
pub(super) fn check(machine: &Machine, functions: Option<&[sam::Function]>) -> Vec<Diagnostic> {
    let mut calls = Calls { functions, found: Vec::new() };
    for state in machine.states() {
        if let Kind::Task(task) = &state.kind {
            match &task.resource {
                Resource::Function { arn } => calls.function(arn, format!("{}/Resource", state.location)),
                // Whether it exists is asked when the task starts.
                Resource::Activity { .. } => {}
                Resource::Service { arn, service, action, .. } => {
                    let (parameters, field) = match &state.flow {
                        DataFlow::JsonPath(flow) => (flow.parameters.as_ref(), "Parameters"),
                        DataFlow::Jsonata(flow) => (flow.arguments.as_ref(), "Arguments"),
                    };
                    match Action::of(service, action) {
                        Some(Action::Invoke) => calls.invocation(parameters, field, &state.location),
                        // Its parameters are mostly found when the task starts.
                        Some(Action::StartExecution(_)) => {}
                        Some(Action::Call(operation)) => calls.call(&operation, parameters, field, &state.location),
                        Some(Action::Http(endpoint, operation)) => {
                            calls.call(&operation, parameters, field, &state.location);
                            if let Some(address) = text(parameters, "ApiEndpoint").filter(|text| endpoint.is_far(text))
                            {
                                calls.warn(
                                    format!(
                                        "'{address}' is not on this machine: the state fails, unless its call is mocked or \
                                         allowed with --allow-network"
                                    ),
                                    format!("{}/{field}/ApiEndpoint", state.location),
                                );
                            }
                        }
                        Some(Action::Elsewhere) => calls.warn(
                            format!("'{arn}' is not emulated: the state fails, unless its call is mocked"),
                            format!("{}/Resource", state.location),
                        ),
                        None => calls.found.push(Diagnostic {
                            help: nearest(service, action),
                            ..Diagnostic::error(
                                Code::SchemaValidationFailed,
                                Resource::not_recognized(arn),
                                format!("{}/Resource", state.location),
                            )
                        }),
                    }
                }
            }
        }
    }
    calls.found
}

struct Calls<'a> {
    functions: Option<&'a [sam::Function]>,
    found: Vec<Diagnostic>,
}

impl Calls<'_> {
    /// The parameters of a service's action. What a path gives is known when the task starts, and is checked then.
    fn call(&mut self, operation: &Operation, parameters: Option<&Template>, field: &str, state: &str) {
        let at = format!("{state}/{field}");
        let fields: Vec<(&str, String, Option<&Value>)> = match parameters {
            // What is sent is the state's input, or is found as a whole.
            None | Some(Template::Expression(_)) => return,
            Some(Template::Literal(Value::Object(fields))) => {
                fields.iter().map(|(name, value)| (&**name, name.to_string(), Some(value))).collect()
            }
            Some(Template::Object(fields)) => fields.iter().map(|(name, template)| given(name, template)).collect(),
            Some(_) => return self.refuse(Code::SchemaValidationFailed, "Value is not of type 'Object'", at),
        };
        for (name, written, value) in &fields {
            if let Err(misfit) = operation.check_field(name, *value) {
                self.refuse(Code::SchemaValidationFailed, misfit.to_string(), format!("{at}/{written}"));
            }
        }
        for name in operation.required().filter(|required| !fields.iter().any(|(name, ..)| name == required)) {
            self.refuse(Code::SchemaValidationFailed, Misfit::Missing(name).to_string(), at.clone());
        }
    }

    /// The parameters of `lambda:invoke`, of which more is known.
    fn invocation(&mut self, parameters: Option<&Template>, field: &str, state: &str) {
        let at = format!("{state}/{field}");
        let mut has_function = false;
        match parameters {
            None => return self.refuse(Code::SchemaValidationFailed, invoke::NO_FUNCTION, state.to_owned()),
            // What is sent is found as a whole.
            Some(Template::Expression(_)) => return,
            Some(Template::Literal(Value::Object(fields))) => {
                for (name, value) in fields.iter() {
                    has_function |= &**name == "FunctionName";
                    self.literal(name, value, format!("{at}/{name}"));
                }
            }
            Some(Template::Object(fields)) => {
                for (name, template) in fields {
                    has_function |= &**name == "FunctionName";
                    match template {
                        Template::Literal(value) => self.literal(name, value, format!("{at}/{name}")),
                        Template::Expression(expression) => {
                            let field = expression.field().rsplit('/').next().unwrap_or_default();
                            self.name(name, format!("{at}/{field}"));
                        }
                        Template::Object(_) | Template::Array(_) => self.name(name, format!("{at}/{name}")),
                    }
                }
            }
            Some(_) => return self.refuse(Code::SchemaValidationFailed, "Expected value of type [OBJECT]", at),
        }
        if !has_function {
            return self.refuse(Code::SchemaValidationFailed, invoke::NO_FUNCTION, at);
        }
        if let Some((function, qualifier)) = text(parameters, "FunctionName").zip(text(parameters, "Qualifier"))
            && self.wrong_function(function).is_none()
        {
            self.function(&invoke::qualified(function, qualifier), format!("{at}/Qualifier"));
        }
    }

    fn literal(&mut self, name: &str, value: &Value, at: String) {
        match invoke::field(name, value) {
            Ok(Field::Function(function)) => self.function(function, at),
            Ok(_) => {}
            Err(error) => self.refuse(error.code(), error.to_string(), at),
        }
    }

    fn name(&mut self, name: &str, at: String) {
        if let Err(error) = invoke::check_name(name) {
            self.refuse(error.code(), error.to_string(), at);
        }
    }

    fn function(&mut self, named: &str, at: String) {
        if let Some(message) = self.wrong_function(named) {
            self.refuse(Code::NotEmulated, message, at);
        }
    }

    /// Why a function can't be called by this name, where the functions are known.
    fn wrong_function(&self, named: &str) -> Option<String> {
        let functions = self.functions?;
        let reference = FunctionReference::parse(named);
        let is_named = |function: &&sam::Function| {
            let own = FunctionReference::parse(&function.arn);
            let (Some(own), Some(reference)) = (own, &reference) else { return false };
            reference.name == function.name
                && own.region.zip(own.account).is_some_and(|(region, account)| reference.is_local(region, account))
        };
        match (functions.iter().find(is_named), &reference) {
            (Some(function), Some(reference)) if reference.is_qualifier_of(function) => None,
            (Some(function), Some(reference)) => Some(format!(
                "the function `{}` has no version or alias `{}` here: it has `$LATEST`, and what its `AutoPublishAlias` names",
                function.name,
                reference.qualifier.unwrap_or_default()
            )),
            _ => Some(format!("the state machine calls the function `{named}`, which the template does not have")),
        }
    }

    fn warn(&mut self, message: String, location: String) {
        let found = Diagnostic::error(Code::NotEmulated, message, location);
        self.found.push(Diagnostic { severity: Severity::Warning, ..found });
    }

    fn refuse(&mut self, code: Code, message: impl Into<String>, location: String) {
        self.found.push(Diagnostic::error(code, message, location));
    }
}

/// The action that was probably meant.
fn nearest(service: &str, action: &str) -> Option<String> {
    let called = format!("{service}:{action}");
    let actions: Vec<_> = match service.strip_prefix("aws-sdk:").map(|sdk| Service::find(sdk)?.model()) {
        Some(model) => model?.actions.keys().map(|action| format!("{service}:{action}")).collect(),
        None => optimised_actions().collect(),
    };
    sam::closest(&called, actions.iter().map(String::as_str)).map(|meant| format!("did you mean '{meant}'?"))
}

/// A field of the parameters, where it is a text that is known.
fn text<'a>(parameters: Option<&'a Template>, name: &str) -> Option<&'a str> {
    match parameters? {
        Template::Literal(parameters) => parameters.get(name)?.as_str(),
        Template::Object(fields) => match fields.iter().find(|(field, _)| &**field == name)? {
            (_, Template::Literal(value)) => value.as_str(),
            _ => None,
        },
        _ => None,
    }
}

/// A field of a template: its name, how it is written, and its value where that is known.
fn given<'a>(name: &'a str, template: &'a Template) -> (&'a str, String, Option<&'a Value>) {
    match template {
        Template::Literal(value) => (name, name.to_owned(), Some(value)),
        Template::Expression(expression) => {
            (name, expression.field().rsplit('/').next().unwrap_or_default().to_owned(), None)
        }
        Template::Object(_) | Template::Array(_) => (name, name.to_owned(), None),
    }
}
