//! Payload templates: JSON in which a field whose name ends in `.$` holds a path or a call.

use std::sync::Arc;

use crate::{
    context::Scope,
    fault::Fault,
    intrinsic::Intrinsic,
    path::Path,
    value::{Object, Value},
};

/// A path or a call of an intrinsic function.
#[derive(Clone, Debug)]
pub enum Expression {
    /// `$.a.b`
    Path(Path),
    /// `States.Format(…)`
    Call(Box<Intrinsic>),
}

impl Expression {
    /// Compiles the text of an expression; the error is a sentence for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('$') {
            Path::parse(text).map(Self::Path).map_err(|error| error.to_string())
        } else {
            Intrinsic::parse(text).map(|call| Self::Call(Box::new(call))).map_err(|error| error.to_string())
        }
    }

    /// The paths in it.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Path(path) => vec![path],
            Self::Call(call) => call.paths(),
        }
    }

    /// Its value. `field` is the field it stands in, for the message.
    pub fn evaluate(&self, field: &str, scope: &Scope<'_>) -> Result<Value, Fault> {
        match self {
            Self::Path(path) => path.find(scope).map_err(|_| {
                Fault::runtime(format!(
                    "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{}'",
                    scope.input
                ))
            }),
            Self::Call(call) => call.evaluate(scope),
        }
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
    /// The value of a field whose name ends in `.$`.
    Expression {
        /// The field's name as written, `.$` included.
        field: Arc<str>,
        /// What gives the value.
        expression: Expression,
    },
}

impl Template {
    /// The template filled in.
    pub fn fill(&self, scope: &Scope<'_>) -> Result<Value, Fault> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression { field, expression } => expression.evaluate(field, scope),
            Self::Array(items) => Ok(items.iter().map(|item| item.fill(scope)).collect::<Result<Vec<_>, _>>()?.into()),
            Self::Object(fields) => {
                let filled = fields.iter().map(|(name, template)| Ok((name.clone(), template.fill(scope)?)));
                Ok(filled.collect::<Result<Object, Fault>>()?.into())
            }
        }
    }

    /// Every path in it.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Expression { expression, .. } => expression.paths(),
            Self::Array(items) => items.iter().flat_map(Self::paths).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, template)| template.paths()).collect(),
        }
    }
}
