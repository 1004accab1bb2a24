//! The parameters of `lambda:invoke`: one rule for a definition that is loaded and for a task that starts.

use asl::{Fault, Value, compile::Code};

/// What `lambda:invoke` is asked to do.
pub(super) struct Parameters {
    pub(super) function: String,
    pub(super) payload: Value,
    pub(super) client_context: Option<String>,
    pub(super) kind: InvocationType,
    /// Whether the end of the function's log is a part of the result.
    pub(super) tells_log: bool,
}

/// How a function is invoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum InvocationType {
    /// Its answer is waited for.
    #[default]
    RequestResponse,
    /// It is invoked later.
    Event,
    /// It is looked for, and not invoked.
    DryRun,
}

/// A field of the parameters, understood.
pub(super) enum Field<'v> {
    /// `FunctionName`: a name or an ARN.
    Function(&'v str),
    /// `Qualifier`: a version or an alias of the function.
    Qualifier(&'v str),
    Payload(&'v Value),
    ClientContext(&'v str),
    InvocationType(InvocationType),
    /// `LogType`: whether it is `Tail`.
    LogTail(bool),
}

/// A field that an invocation can't be made with.
#[derive(Debug, thiserror::Error)]
pub(super) enum FieldError {
    #[error("The field '{0}' is not supported by Step Functions")]
    Unknown(String),
    #[error("the {name} {value} is not emulated")]
    Value { name: String, value: Value },
}

impl FieldError {
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code::SchemaValidationFailed,
            Self::Value { .. } => Code::NotEmulated,
        }
    }
}

/// The service's words for parameters without a `FunctionName`.
pub(super) const NO_FUNCTION: &str = "The field 'FunctionName' is required but was missing";

/// The fields that the action has.
const FIELDS: [&str; 6] = ["ClientContext", "FunctionName", "InvocationType", "LogType", "Payload", "Qualifier"];

/// Fails for a field that the action does not have.
pub(super) fn check_name(name: &str) -> Result<(), FieldError> {
    if FIELDS.contains(&name) { Ok(()) } else { Err(FieldError::Unknown(name.to_owned())) }
}

/// Understands a field, or tells why it can't be used.
pub(super) fn field<'v>(name: &str, value: &'v Value) -> Result<Field<'v>, FieldError> {
    check_name(name)?;
    match (name, value) {
        ("FunctionName", Value::String(name)) => Ok(Field::Function(name)),
        ("Payload", payload) => Ok(Field::Payload(payload)),
        ("ClientContext", Value::String(context)) => Ok(Field::ClientContext(context)),
        ("InvocationType", Value::String(kind)) => match &**kind {
            "RequestResponse" => Ok(Field::InvocationType(InvocationType::RequestResponse)),
            "Event" => Ok(Field::InvocationType(InvocationType::Event)),
            "DryRun" => Ok(Field::InvocationType(InvocationType::DryRun)),
            _ => Err(FieldError::Value { name: name.to_owned(), value: value.clone() }),
        },
        ("Qualifier", Value::String(qualifier)) => Ok(Field::Qualifier(qualifier)),
        ("LogType", Value::String(kind)) if matches!(&**kind, "None" | "Tail") => Ok(Field::LogTail(&**kind == "Tail")),
        _ => Err(FieldError::Value { name: name.to_owned(), value: value.clone() }),
    }
}

/// The function with a version or an alias, which its name may have already.
pub(super) fn qualified(function: &str, qualifier: &str) -> String {
    if function.ends_with(&format!(":{qualifier}")) { function.to_owned() } else { format!("{function}:{qualifier}") }
}

impl Parameters {
    /// Reads a task's effective input.
    pub(super) fn read(input: &Value) -> Result<Self, Fault> {
        let Value::Object(fields) = input else { return Err(unusable(input, "they are no object")) };
        let (mut function, mut qualifier) = (None, None);
        let mut payload = Value::empty_object();
        let (mut client_context, mut kind, mut tells_log) = (None, InvocationType::default(), false);
        for (name, value) in fields.iter() {
            match field(name, value).map_err(|error| unusable(input, &error.to_string()))? {
                Field::Function(name) => function = Some(name.to_owned()),
                Field::Qualifier(name) => qualifier = Some(name),
                Field::Payload(value) => payload = value.clone(),
                Field::ClientContext(context) => client_context = Some(context.to_owned()),
                Field::InvocationType(named) => kind = named,
                Field::LogTail(wanted) => tells_log = wanted,
            }
        }
        let function = function.ok_or_else(|| unusable(input, NO_FUNCTION))?;
        let function = qualifier.map_or(function.clone(), |qualifier| qualified(&function, qualifier));
        Ok(Self { function, payload, client_context, kind, tells_log })
    }
}

/// What the service says of parameters that a task can't be started with.
fn unusable(parameters: &Value, why: &str) -> Fault {
    Fault::runtime(format!("The Parameters '{parameters}' could not be used to start the Task: [{why}]"))
}
