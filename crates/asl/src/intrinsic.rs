//! The intrinsic functions, `States.Format` and its 17 sisters.
//!
//! Source: the Developer Guide, "Intrinsics for `JSONPath` states in Step Functions".

mod arrays;
mod format;
mod parse;
mod text;
mod unique;

use std::{fmt, sync::Arc};

use crate::{
    context::Scope,
    fault::Fault,
    path::{Missing, Path},
    random::Java,
    value::Value,
};

pub use parse::IntrinsicError;

/// How deep calls may nest.
const MAX_DEPTH: usize = 10;

/// A compiled call: `States.ArrayGetItem($.list, 0)`.
#[derive(Clone, Debug)]
pub struct Intrinsic {
    /// As it was written: failures name all of it, whichever call inside of it fails.
    text: Arc<str>,
    call: Call,
}

#[derive(Clone, Debug)]
struct Call {
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug)]
enum Argument {
    /// A quoted text as it was written, escapes and all: `States.Format` must tell `\{` from `{`.
    Text(String),
    Literal(Value),
    Path(Path),
    Call(Call),
}

macro_rules! functions {
    ($($name:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::upper_case_acronyms, reason = "the names are the service's own")]
        enum Function { $($name,)* }

        impl Function {
            /// Every function with its name.
            const ALL: &[(Self, &str)] = &[$((Self::$name, stringify!($name)),)*];
        }
    };
}

functions! {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    UUID,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States.{self:?}")
    }
}

/// Why a call has no value.
enum Failure {
    /// A path among its arguments leads nowhere.
    Missing { path: Arc<str>, why: Missing },
    /// What the service says of a function that can't be applied.
    Refused(String),
}

impl Intrinsic {
    /// Compiles a call. How many arguments a function gets is no matter here: the service finds out when it is called.
    pub fn parse(text: &str) -> Result<Self, IntrinsicError> {
        Ok(Self { text: text.into(), call: parse::call(text)? })
    }

    /// Every path among its arguments, and among theirs.
    pub fn paths(&self) -> Vec<&Path> {
        self.call.paths()
    }

    /// Its value.
    ///
    /// The error is `States.Runtime` where the function can't be applied to its arguments, or one is not there. (The
    /// Developer Guide speaks of `States.IntrinsicFailure`, which the service was never seen to raise.)
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, Fault> {
        let text = &self.text;
        self.call.evaluate(scope).map_err(|failure| {
            Fault::runtime(match failure {
                Failure::Missing { path, why: Missing::Nowhere(_) | Missing::PastEnd(_) } => format!(
                    "The function '{text}' had the following error: The JsonPath argument for the field '{path}' could \
                     not be found in the input '{}'",
                    scope.input
                ),
                Failure::Missing { why: why @ (Missing::NoArray(_) | Missing::TooMany), .. } => {
                    format!("The function '{text}' had the following error: {why}")
                }
                Failure::Refused(why) => {
                    format!("There was an error while evaluating the intrinsic function: {text}. {why}")
                }
            })
        })
    }
}

impl Call {
    fn paths(&self) -> Vec<&Path> {
        self.arguments
            .iter()
            .flat_map(|argument| match argument {
                Argument::Path(path) => vec![path],
                Argument::Call(call) => call.paths(),
                _ => Vec::new(),
            })
            .collect()
    }

    fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        let value = match (self.function, self.arguments.as_slice()) {
            (Function::Format, [template, arguments @ ..]) => {
                let arguments = values(arguments, scope)?;
                match template {
                    Argument::Text(template) => format::format(template, &arguments),
                    template => match template.value(scope)? {
                        Value::String(template) => format::format(&template, &arguments),
                        _ => Ok(None),
                    },
                }
                .map_err(Failure::Refused)?
            }
            (Function::StringToJson, [text]) => text::string_to_json(&text.value(scope)?).map_err(Failure::Refused)?,
            (_, arguments) => self.apply(&values(arguments, scope)?, scope),
        };
        value.ok_or_else(|| Failure::Refused(format!("Invalid arguments in {}", self.function)))
    }

    /// The function's value; nothing where it does not take such arguments, or not as many.
    fn apply(&self, arguments: &[Value], scope: &Scope<'_>) -> Option<Value> {
        match (self.function, arguments) {
            (Function::Array, items) => Some(items.to_vec().into()),
            (Function::ArrayContains, [array, item]) => arrays::contains(array, item),
            (Function::ArrayGetItem, [array, index]) => arrays::get_item(array, index),
            (Function::ArrayLength, [array]) => arrays::length(array),
            (Function::ArrayPartition, [array, size]) => arrays::partition(array, size),
            (Function::ArrayRange, [first, last, step]) => arrays::range(first, last, step),
            (Function::ArrayUnique, [array]) => arrays::unique(array),
            (Function::Base64Decode, [text]) => text::base64_decode(text),
            (Function::Base64Encode, [text]) => text::base64_encode(text),
            (Function::Hash, [data, algorithm]) => text::hash(data, algorithm),
            (Function::JsonMerge, [first, second, deep]) => text::json_merge(first, second, deep),
            (Function::JsonToString, [value]) => Some(value.to_string().into()),
            (Function::MathAdd, [a, b]) => arrays::math_add(a, b),
            (Function::MathRandom, [start, end]) => {
                let seed = scope.environment.random().cast_signed();
                arrays::math_random(start, end, &mut Java::new(seed))
            }
            (Function::MathRandom, [start, end, seed]) => arrays::math_random(start, end, &mut arrays::seeded(seed)?),
            (Function::StringSplit, [text, separators]) => text::split(text, separators),
            (Function::UUID, []) => Some(text::uuid(scope.environment.random(), scope.environment.random())),
            _ => None,
        }
    }
}

impl Argument {
    fn value(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Text(text) => Ok(format::unescape(text).into()),
            Self::Literal(value) => Ok(value.clone()),
            // A place in the context object is named, and searched in vain, as if it were one in the input: measured in Step
            // Functions Local.
            Self::Path(path) => path.find(scope).map_err(|why| {
                let text = path.text();
                let shown = if text.starts_with("$$") { &text[1..] } else { text };
                Failure::Missing { path: shown.into(), why }
            }),
            Self::Call(call) => call.evaluate(scope),
        }
    }
}

fn values(arguments: &[Argument], scope: &Scope<'_>) -> Result<Vec<Value>, Failure> {
    arguments.iter().map(|argument| argument.value(scope)).collect()
}

#[cfg(test)]
mod tests;
