//! Expressions in the fields of a state, and payload templates: JSON with expressions in it.
//!
//! In `JSONPath` a field whose name ends in `.$` holds a path or a call of an intrinsic function; in JSONata any string
//! between `{%` and `%}` is an expression.

use std::sync::Arc;

use crate::{
    context::Scope,
    fault::{Fault, FieldError},
    intrinsic::Intrinsic,
    jsonata::{Jsonata, States},
    path::{Missing, Path, Root},
    value::{Object, Value},
};

/// An expression with the field it stands in.
#[derive(Clone, Debug)]
pub struct Expression {
    /// As messages name it: `total.$`, `TimeoutSecondsPath`, in JSONata with what is above it: `Output/total`.
    field: Arc<str>,
    code: Code,
}

/// What an expression is written in.
#[derive(Clone, Debug)]
pub enum Code {
    /// `$.a.b`
    Path(Path),
    /// `States.Format(…)`
    Call(Box<Intrinsic>),
    /// `{% $states.input.a %}`
    Jsonata(Jsonata),
}

impl Expression {
    /// Compiles a path or a call; the error is a sentence for a person.
    pub fn json_path(field: impl Into<Arc<str>>, text: &str) -> Result<Self, String> {
        let code = if text.starts_with('$') {
            Path::parse(text).map(Code::Path).map_err(|error| error.to_string())
        } else {
            Intrinsic::parse(text).map(|call| Code::Call(Box::new(call))).map_err(|error| error.to_string())
        };
        Ok(Self { field: field.into(), code: code? })
    }

    /// A compiled path in a field.
    pub fn of_path(field: impl Into<Arc<str>>, path: Path) -> Self {
        Self { field: field.into(), code: Code::Path(path) }
    }

    /// A compiled expression of JSONata in a field.
    pub fn of_jsonata(field: impl Into<Arc<str>>, jsonata: Jsonata) -> Self {
        Self { field: field.into(), code: Code::Jsonata(jsonata) }
    }

    /// The field it stands in.
    pub fn field(&self) -> &Arc<str> {
        &self.field
    }

    /// What it is written in.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The paths in it, which a JSONata expression has none of.
    pub fn paths(&self) -> Vec<&Path> {
        match &self.code {
            Code::Path(path) => vec![path],
            Code::Call(call) => call.paths(),
            Code::Jsonata(_) => Vec::new(),
        }
    }

    /// Its value.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, FieldError> {
        match &self.code {
            Code::Path(path) => match path.find(scope) {
                Ok(value) => Ok(value),
                Err(Missing::PastEnd(_)) => Ok(Value::Null),
                Err(why @ Missing::TooMany) => {
                    Err(Fault::runtime(format!("The JSONPath '{path}' for the field '{}': {why}", self.field)).into())
                }
                Err(_) => {
                    let searched = match path.root() {
                        Root::Context => scope.environment.context(),
                        _ => scope.input.clone(),
                    };
                    let cause = format!(
                        "The JSONPath '{path}' specified for the field '{}' could not be found in the input '{searched}'",
                        self.field
                    );
                    Err(Fault::runtime(cause).into())
                }
            },
            Code::Call(call) => Ok(call.evaluate(scope)?),
            Code::Jsonata(jsonata) => self.query(jsonata, scope),
        }
    }

    /// What went wrong with this expression's value, for a field that takes values of a type alone.
    ///
    /// `type_name` is JSON Schema's name of the type.
    pub fn unexpected_type(&self, type_name: &str, value: &Value) -> FieldError {
        let was = value.type_name();
        match &self.code {
            Code::Jsonata(jsonata) => self.query_error(
                jsonata,
                &format!(
                    "returned an unexpected result type. Expected '{type_name}', but was '{was}' for value: {value}"
                ),
            ),
            Code::Path(_) | Code::Call(_) => Fault::runtime(format!(
                "The value of the field '{}' must be a {type_name}, but was: {value}",
                self.field
            ))
            .into(),
        }
    }

    fn query(&self, jsonata: &Jsonata, scope: &Scope<'_>) -> Result<Value, FieldError> {
        let states = States { input: scope.input, result: scope.result, error_output: scope.error_output };
        match jsonata.evaluate(&states, scope.environment) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(self.query_error(jsonata, "returned nothing (undefined).")),
            Err(error) => {
                let what = format!("threw an error during evaluation{}{error}", error.separator());
                Err(self.query_error(jsonata, &what))
            }
        }
    }

    fn query_error(&self, jsonata: &Jsonata, what: &str) -> FieldError {
        let cause =
            format!("The JSONata expression '{}' specified for the field '{}' {what}", jsonata.text(), self.field);
        FieldError::query(self.field.clone(), cause)
    }
}

/// A compiled payload template.
#[derive(Clone, Debug)]
pub enum Template {
    /// JSON without any expression in it: it costs a reference.
    Literal(Value),
    /// An object with an expression somewhere below it.
    Object(Vec<(Arc<str>, Template)>),
    /// An array with an expression somewhere below it.
    Array(Vec<Template>),
    /// An expression.
    Expression(Expression),
}

impl Template {
    /// The template filled in.
    pub fn fill(&self, scope: &Scope<'_>) -> Result<Value, FieldError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.evaluate(scope),
            Self::Array(items) => Ok(items.iter().map(|item| item.fill(scope)).collect::<Result<Vec<_>, _>>()?.into()),
            Self::Object(fields) => {
                let filled = fields.iter().map(|(name, template)| Ok((name.clone(), template.fill(scope)?)));
                Ok(filled.collect::<Result<Object, FieldError>>()?.into())
            }
        }
    }

    /// Every expression in it.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Expression(expression) => vec![expression],
            Self::Array(items) => items.iter().flat_map(Self::expressions).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, template)| template.expressions()).collect(),
        }
    }
}
