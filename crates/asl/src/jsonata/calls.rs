//! How an expression's calls reach the functions of this crate.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use jsonata_core::{
    ast::AstNode,
    evaluator::{Context, Evaluator, EvaluatorError},
    value::JValue,
};

use super::{error::EvaluationError, functions, guard, guarded, operators, tree};
use crate::{context::Environment, random};

/// How many bytes an evaluation may take for what it makes, all in all. Whatever it drops again counts too, so this is
/// far more than one value may hold.
const SPENDING_LIMIT: usize = 256 * 1024 * 1024;

/// What a function answers.
pub(super) type Answer = Result<JValue, EvaluatorError>;

/// A function of this crate.
pub(super) type Function = fn(&Calls, &[JValue]) -> Answer;

/// Every function that can be called by its name alone.
const FUNCTIONS: &[(&str, Function)] = &[
    ("hash", functions::hash),
    ("millis", functions::millis),
    ("now", functions::now),
    ("parse", functions::parse),
    ("partition", functions::partition),
    ("random", functions::random),
    ("range", functions::range),
    ("shuffle", functions::shuffle),
    ("uuid", functions::uuid),
    (guard::CONCATENATE, operators::concatenate),
    (guard::RANGE, operators::range),
    (guard::HOLD, operators::hold),
    (guard::SPEND, operators::spend),
    (guard::SOME, operators::some),
    (guard::SEARCHED, operators::searched),
    (guard::SUBJECT, operators::subject),
    (guard::REPLACEMENT, operators::replacement),
];

/// A function that an expression names.
#[derive(Clone, Copy)]
pub(super) enum Named {
    Plain(&'static str, Function),
    /// One of the engine's, with a check in front of it. Where it is called by its name, the context is its first argument.
    Guarded {
        function: &'static guarded::Guarded,
        with_context: bool,
    },
}

impl Named {
    fn find(name: &str) -> Option<Self> {
        if let Some((name, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            return Some(Self::Plain(name, *function));
        }
        let (written, with_context) = guard::unguarded(name)?;
        let function = guarded::find(written)?;
        Some(Self::Guarded { function, with_context })
    }

    /// Those that an expression names. Only these are registered for its evaluations.
    pub(super) fn all_in(ast: &AstNode) -> Vec<(Box<str>, Self)> {
        let mut found: Vec<(Box<str>, Self)> = Vec::new();
        tree::visit(ast, &mut |node| {
            if let AstNode::Variable(name) | AstNode::Function { name, .. } = node
                && !found.iter().any(|(known, _)| **known == **name)
                && let Some(named) = Self::find(name)
            {
                found.push((name.as_str().into(), named));
            }
        });
        found
    }

    /// Whether its answers depend on the moment or on chance.
    fn is_one_of(self, names: &[&str]) -> bool {
        matches!(self, Self::Plain(name, _) if names.contains(&name))
    }
}

/// What the execution answers for an evaluation. Functions may be called any number of times, and can't hold the
/// environment, so it is asked once.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// Milliseconds since 1970.
    now: f64,
    /// What all random numbers of the evaluation come from.
    seed: u64,
}

impl Moment {
    /// Asks the environment for what these functions need.
    pub(super) fn of(functions: &[(Box<str>, Named)], environment: &dyn Environment) -> Self {
        let any = |names: &[&str]| functions.iter().any(|(_, named)| named.is_one_of(names));
        #[expect(clippy::cast_precision_loss, reason = "milliseconds fit in a double for the next 285,000 years")]
        let now = || (environment.now().unix_timestamp_nanos() / 1_000_000) as f64;
        Self {
            now: if any(&["now", "millis"]) { now() } else { 0.0 },
            seed: if any(&["random", "shuffle", "uuid"]) { environment.random() } else { 0 },
        }
    }
}

/// What the functions of one evaluation share.
pub(super) struct Calls {
    /// Milliseconds since 1970.
    pub(super) now: f64,
    pub(super) numbers: Numbers,
    /// How many bytes may still be taken.
    left: Cell<usize>,
    /// The lengths of texts in which something will be replaced, the innermost call last.
    pub(super) subjects: RefCell<Vec<usize>>,
}

impl Calls {
    /// Makes functions known to an evaluator.
    pub(super) fn register(
        functions: &[(Box<str>, Named)],
        evaluator: &mut Evaluator,
        moment: Moment,
    ) -> Result<(), EvaluatorError> {
        if functions.is_empty() {
            return Ok(());
        }
        let calls = Rc::new(Self {
            now: moment.now,
            numbers: Numbers(Cell::new(moment.seed)),
            left: Cell::new(SPENDING_LIMIT),
            subjects: RefCell::default(),
        });
        for (name, named) in functions {
            let calls = Rc::clone(&calls);
            match *named {
                Named::Plain(_, function) => {
                    evaluator.register_fn_override(&**name, move |args: &[JValue]| function(&calls, args))
                }
                Named::Guarded { function, with_context } => evaluator
                    .register_fn_override(&**name, move |args: &[JValue]| {
                        guarded::call(function, &calls, with_context, args)
                    }),
            }?;
        }
        Ok(())
    }

    /// Lets a value pass that was just made, and counts what it took. Its parts were counted when they were made.
    pub(super) fn spend(&self, value: JValue) -> Answer {
        let bytes = match &value {
            JValue::String(text) => text.len(),
            JValue::Array(items) => items.len().saturating_mul(size_of::<JValue>()),
            JValue::Object(fields) => fields.len().saturating_mul(2 * size_of::<JValue>()),
            _ => 0,
        };
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(value)
            }
            None => Err(EvaluationError::memory().into()),
        }
    }
}

/// Calls one of the engine's own functions, with a context.
pub(super) fn delegate(function: &str, context: &JValue, args: &[JValue]) -> Answer {
    let names: Vec<String> = (0..args.len()).map(|index| index.to_string()).collect();
    let mut bindings = Context::new();
    for (name, value) in names.iter().zip(args) {
        bindings.bind(name.clone(), value.clone());
    }
    let call = AstNode::Function {
        name: function.to_owned(),
        args: names.into_iter().map(AstNode::Variable).collect(),
        is_builtin: true,
    };
    // The evaluation around it sees to the time: the engine looks at that before a call, not in it.
    Evaluator::with_context(bindings).evaluate(&call, context)
}

/// Random numbers from one seed.
pub(super) struct Numbers(Cell<u64>);

impl Numbers {
    pub(super) fn next(&self) -> u64 {
        random::next(&self.0)
    }

    /// From 0 up to 1.
    pub(super) fn unit(&self) -> f64 {
        random::unit(self.next())
    }

    /// From 0 up to `limit`.
    pub(super) fn below(&self, limit: usize) -> usize {
        let limit = u128::try_from(limit).unwrap_or(1);
        usize::try_from((u128::from(self.next()) * limit) >> 64).unwrap_or(0)
    }
}
