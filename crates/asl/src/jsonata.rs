//! JSONata expressions: what stands between `{%` and `%}`.
//!
//! The language is described at <https://docs.jsonata.org>; the service speaks its version 2.0.6 with six functions more
//! and `$eval` less (Developer Guide, "Transforming data with JSONata in Step Functions"). The crate `jsonata-core`
//! parses and evaluates. Around it, this module
//!
//! - shows it no more of an execution than an expression names, so that a large input costs nothing that is not read
//!   (`references`), and does without it where an expression only names a value (`plain`);
//! - binds the service's own functions, and those whose answers a replay must repeat (`functions`);
//! - holds the service's limits, and keeps from the engine what it can't survive: it trusts its expressions, and aborts
//!   the process on some arguments (`guard`, `guarded`, `operators`);
//! - words errors as the reference implementation does, and so the service (`wording`, `explain`).
//!
//! What is known to differ from version 2.0.6: look-around in a regular expression is refused, since the engine's never
//! backtrack; an undefined argument in the place of an optional function counts as left out; `$toMillis` with a picture
//! takes what a date lacks from the clock; `$base64encode` encodes UTF-8. A recursion in a tail call of a built-in
//! function may nest half as deep as at the service.

mod calls;
mod conversion;
mod error;
mod explain;
mod functions;
mod guard;
mod guarded;
mod operators;
mod plain;
mod references;
mod signature;
mod tree;
mod wording;

use std::{fmt, panic::AssertUnwindSafe, sync::Arc};

use jsonata_core::{
    ast::AstNode,
    evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions},
    value::JValue,
};

use crate::{
    Value,
    context::{Environment, TimeAllowed},
};

use calls::{Calls, Moment, Named};
use explain::Explainer;
use plain::{Found, Plain};
use references::References;

pub use error::{EvaluationError, SyntaxError};
pub(crate) use plain::NamedPlace;
pub use references::{Reference, TopLevel};

/// How long one evaluation may take. The service's own limit.
const TIME_LIMIT_MS: u64 = 1000;

/// How deep an evaluation may nest. The service allows 100 levels and counts the innermost operand, which the engine does
/// not.
const DEPTH_LIMIT: usize = 99;

/// The most items that a sequence may have: the service's limit for the memory of an evaluation, seen from a range.
const SEQUENCE_LIMIT: usize = 873_782;

/// `$states`, but for its `context`, which the environment has.
#[derive(Clone, Copy, Debug)]
pub struct States<'a> {
    /// What the state was given.
    pub input: &'a Value,
    /// What a Task, Parallel or Map state's work gave.
    pub result: Option<&'a Value>,
    /// What went wrong, in a catcher.
    pub error_output: Option<&'a Value>,
}

/// The names of all functions that an expression can call without defining them, without the `$`.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    signature::names()
}

/// A compiled expression.
#[derive(Clone)]
pub struct Jsonata(Arc<Compiled>);

struct Compiled {
    text: Box<str>,
    /// The tree that is evaluated. It is plain data: only the values of an evaluation can't leave their thread.
    ast: AstNode,
    references: References,
    plain: Option<Plain>,
    /// The functions of this crate that it calls, by their names in the tree.
    functions: Vec<(Box<str>, Named)>,
}

impl Jsonata {
    /// Compiles an expression: the text between `{%` and `%}`. Blanks around it make no difference.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let text = text.trim();
        let parsed = contained(|| jsonata_core::parser::parse(text)).ok_or_else(SyntaxError::internal)?;
        let mut ast = parsed.map_err(|error| SyntaxError::from_parser(&error, text))?;
        tree::check(&ast)?;
        let (references, plain) = (References::of(&ast), Plain::of(&ast));
        guard::plant(&mut ast);
        Ok(Self(Arc::new(Compiled { text: text.into(), references, plain, functions: Named::all_in(&ast), ast })))
    }

    /// The expression as it was written, without blanks around it.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The variables that it reads and does not bind itself, in the order of their first use. `$states` is among them, and
    /// so is a function that is named without being called.
    pub fn references(&self) -> &[Reference] {
        &self.0.references.variables
    }

    /// The names of the functions that it calls and does not define itself, without the `$`.
    pub fn functions(&self) -> &[String] {
        &self.0.references.functions
    }

    /// The place that it names, where it does nothing else.
    pub(crate) fn named(&self) -> Option<NamedPlace<'_>> {
        self.0.plain.as_ref().map(Plain::named)
    }

    /// What it reads of the context at its top level, where the service has none: the service refuses such expressions.
    pub fn top_level(&self) -> &[TopLevel] {
        &self.0.references.top_level
    }

    /// Its value; nothing where it yields nothing (undefined).
    pub fn evaluate(
        &self,
        states: &States<'_>,
        environment: &dyn Environment,
    ) -> Result<Option<Value>, EvaluationError> {
        if let Some(plain) = &self.0.plain {
            match plain.find(states, environment) {
                Found::Value(value) => return Ok(Some(value)),
                Found::Nothing => return Ok(None),
                Found::Unknown => {}
            }
        }
        let moment = Moment::of(&self.0.functions, environment);
        let bindings: Vec<(&str, JValue)> =
            self.0.references.needs.iter().filter_map(|need| need.convert(states, environment)).collect();
        let time_limit = match environment.time_allowed() {
            TimeAllowed::Limited => Some(TIME_LIMIT_MS),
            TimeAllowed::Unlimited => None,
            TimeAllowed::Exceeded => return Err(EvaluationError::time()),
        };
        let error = match self.run(&self.0.ast, &bindings, moment, time_limit, None) {
            Ok(value) => return conversion::to_value(&value),
            Err(error) => self.explain(&error, &bindings, moment),
        };
        if error == EvaluationError::time() {
            environment.took_too_long();
        }
        Err(error)
    }

    fn run(
        &self,
        ast: &AstNode,
        bindings: &[(&str, JValue)],
        moment: Moment,
        time_limit: Option<u64>,
        explainer: Option<&Explainer>,
    ) -> Result<JValue, EvaluatorError> {
        let mut context = Context::new();
        for (name, value) in bindings {
            context.bind((*name).to_owned(), value.clone());
        }
        let options = EvaluatorOptions {
            timeout_ms: time_limit,
            max_stack_depth: Some(DEPTH_LIMIT),
            max_sequence_length: Some(SEQUENCE_LIMIT),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(context, options);
        Calls::register(&self.0.functions, &mut evaluator, moment)?;
        if let Some(explainer) = explainer {
            explainer.register(&mut evaluator)?;
        }
        // The evaluator is used once, so a panic leaves nothing behind.
        contained(|| evaluator.evaluate(ast, &JValue::Undefined))
            .unwrap_or_else(|| Err(EvaluatorError::EvaluationError("Internal error".to_owned())))
    }

    /// An error of the engine in the service's words.
    fn explain(&self, error: &EvaluatorError, bindings: &[(&str, JValue)], moment: Moment) -> EvaluationError {
        let Some((code, message)) = error::split(error.message()) else {
            return EvaluationError { code: None, message: error.message().to_owned() };
        };
        let place = wording::names_its_place(code).then(|| {
            let (explainer, ast) = Explainer::new(&self.0.ast);
            // It ends where it has ended before. What it is called must not depend on how long that takes now.
            self.run(&ast, bindings, moment, None, Some(&explainer)).err().and_then(|_| explainer.place())
        });
        wording::reword(code, message, place.flatten().as_ref())
    }
}

/// Does something with the engine, and gives nothing where it panics: what it may panic at is not known, and it must not end
/// more than this.
fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

impl fmt::Debug for Jsonata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jsonata").field(&self.text()).finish()
    }
}
