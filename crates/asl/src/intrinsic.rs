//! The intrinsic functions, `States.Format` and its 17 sisters.
//!
//! Source: the Developer Guide, "Intrinsics for `JSONPath` states in Step Functions".

mod arrays;
mod format;
mod parse;
mod text;

use std::fmt;

use crate::{
    context::Scope,
    fault::{Fault, names},
    path::Path,
    value::Value,
};

pub use parse::IntrinsicError;

/// How deep calls may nest.
const MAX_DEPTH: usize = 10;

/// A compiled call: `States.ArrayGetItem($.list, 0)`.
#[derive(Clone, Debug)]
pub struct Intrinsic {
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug)]
enum Argument {
    /// A quoted text as it was written, escapes and all: `States.Format` must tell `\{` from `{`.
    Text(String),
    Literal(Value),
    Path(Path),
    Call(Intrinsic),
}

macro_rules! functions {
    ($($name:ident: $arguments:expr,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::upper_case_acronyms, reason = "the names are the service's own")]
        enum Function { $($name,)* }

        impl Function {
            /// Every function with how many arguments it takes.
            const ALL: &[(Self, &str, std::ops::RangeInclusive<usize>)] =
                &[$((Self::$name, stringify!($name), $arguments),)*];
        }
    };
}

functions! {
    Array: 0..=usize::MAX,
    ArrayContains: 2..=2,
    ArrayGetItem: 2..=2,
    ArrayLength: 1..=1,
    ArrayPartition: 2..=2,
    ArrayRange: 3..=3,
    ArrayUnique: 1..=1,
    Base64Decode: 1..=1,
    Base64Encode: 1..=1,
    Format: 1..=usize::MAX,
    Hash: 2..=2,
    JsonMerge: 3..=3,
    JsonToString: 1..=1,
    MathAdd: 2..=2,
    MathRandom: 2..=3,
    StringSplit: 2..=2,
    StringToJson: 1..=1,
    UUID: 0..=0,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States.{self:?}")
    }
}

impl Intrinsic {
    /// Compiles a call.
    pub fn parse(text: &str) -> Result<Self, IntrinsicError> {
        parse::call(text)
    }

    /// Every path among its arguments, and among theirs.
    pub fn paths(&self) -> Vec<&Path> {
        self.arguments
            .iter()
            .flat_map(|argument| match argument {
                Argument::Path(path) => vec![path],
                Argument::Call(call) => call.paths(),
                _ => Vec::new(),
            })
            .collect()
    }

    /// Its value; `States.IntrinsicFailure` where the function can't be applied to its arguments.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, Fault> {
        let fail = |message: String| Fault::new(names::INTRINSIC_FAILURE, format!("{}: {message}", self.function));
        if let (Function::Format, [Argument::Text(template), rest @ ..]) = (self.function, self.arguments.as_slice()) {
            return format::format(template, &values(rest, scope)?).map_err(fail);
        }
        self.apply(&values(&self.arguments, scope)?, scope).map_err(fail)
    }

    fn apply(&self, arguments: &[Value], scope: &Scope<'_>) -> Result<Value, String> {
        match (self.function, arguments) {
            (Function::Array, items) => Ok(items.to_vec().into()),
            (Function::ArrayContains, [array, item]) => arrays::contains(array, item),
            (Function::ArrayGetItem, [array, index]) => arrays::get_item(array, index),
            (Function::ArrayLength, [array]) => arrays::length(array),
            (Function::ArrayPartition, [array, size]) => arrays::partition(array, size),
            (Function::ArrayRange, [first, last, step]) => arrays::range(first, last, step),
            (Function::ArrayUnique, [array]) => arrays::unique(array),
            (Function::Base64Decode, [text]) => text::base64_decode(text),
            (Function::Base64Encode, [text]) => text::base64_encode(text),
            (Function::Format, [template, rest @ ..]) => format::format(text::string(template)?, rest),
            (Function::Hash, [data, algorithm]) => text::hash(data, algorithm),
            (Function::JsonMerge, [first, second, deep]) => text::json_merge(first, second, deep),
            (Function::JsonToString, [value]) => Ok(value.to_string().into()),
            (Function::MathAdd, [a, b]) => arrays::math_add(a, b),
            (Function::MathRandom, [start, end]) => arrays::math_random(start, end, scope.environment.random()),
            (Function::MathRandom, [start, end, seed]) => {
                arrays::math_random(start, end, u64::from_ne_bytes(arrays::integer(seed)?.to_ne_bytes()))
            }
            (Function::StringSplit, [text, separators]) => text::split(text, separators),
            (Function::StringToJson, [text]) => text::string_to_json(text),
            (Function::UUID, []) => Ok(text::uuid(scope.environment.random(), scope.environment.random())),
            // The number of arguments was checked when the call was compiled.
            (_, arguments) => Err(format!("does not take {} arguments", arguments.len())),
        }
    }
}

fn values(arguments: &[Argument], scope: &Scope<'_>) -> Result<Vec<Value>, Fault> {
    arguments
        .iter()
        .map(|argument| match argument {
            Argument::Text(text) => Ok(format::unescape(text).into()),
            Argument::Literal(value) => Ok(value.clone()),
            Argument::Path(path) => path
                .find(scope)
                .map_err(|missing| Fault::new(names::INTRINSIC_FAILURE, format!("Invalid path '{path}' : {missing}"))),
            Argument::Call(call) => call.evaluate(scope),
        })
        .collect()
}

#[cfg(test)]
mod tests;
