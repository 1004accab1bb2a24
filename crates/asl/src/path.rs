//! `JSONPath` as the service speaks it: the Jayway dialect, where a path is definite or indefinite, and `$.a-b` is a name.
//!
//! A **definite** path names at most one place and gives the value there, or fails when there is none. An
//! **indefinite** one (a wildcard, a slice, a filter, a descent, several indexes) gives an array of all it finds,
//! possibly empty. Several names at the end of a path give an object of them, and are indefinite elsewhere. A **reference path** is a definite one of names and single indexes alone; a result can be written
//! where it points.

mod eval;
mod filter;
mod operator;
mod parse;

use std::{fmt, sync::Arc};

use crate::{context::Scope, value::Value};

pub use eval::Missing;
pub use parse::PathError;

/// A compiled path.
#[derive(Clone, Debug)]
pub struct Path {
    text: Arc<str>,
    root: Root,
    steps: Vec<Step>,
}

/// What a path starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// `$`: the state's input, or its result, by the field the path stands in.
    Input,
    /// `$$`: the context object.
    Context,
    /// `$name`: a variable.
    Variable(Arc<str>),
}

#[derive(Clone, Debug)]
enum Step {
    Field(Arc<str>),
    Fields(Vec<Arc<str>>),
    Index(i64),
    Indexes(Vec<i64>),
    Slice {
        from: Option<i64>,
        to: Option<i64>,
    },
    Wildcard,
    /// Every value below this one, itself first.
    Descend,
    Filter(filter::Filter),
}

/// Whether these lead to at most one place.
fn are_definite(steps: &[Step]) -> bool {
    let before = match steps {
        [before @ .., Step::Fields(_)] => before,
        _ => steps,
    };
    before.iter().all(|step| matches!(step, Step::Field(_) | Step::Index(_)))
}

impl Path {
    /// Compiles a path: `$.a[0]`, `$$.Execution.Id`, `$.items[?(@.price < 10)]`, `$..name`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        parse::path(text)
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it starts from.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Whether it names at most one place.
    pub fn is_definite(&self) -> bool {
        are_definite(&self.steps)
    }

    /// The value or values it names. A part is shared with the whole, never copied.
    pub fn find(&self, scope: &Scope<'_>) -> Result<Value, Missing> {
        match &self.root {
            Root::Input => eval::find(&self.steps, scope.input),
            Root::Context => eval::find(&self.steps, &scope.environment.context()),
            Root::Variable(name) => match scope.environment.variable(name) {
                Some(value) => eval::find(&self.steps, &value),
                None => Err(Missing::variable(name)),
            },
        }
    }

    /// The top-level field of the root that the path goes through first, where it has one.
    pub fn first_field(&self) -> Option<&str> {
        match self.steps.first() {
            Some(Step::Field(name)) => Some(name),
            _ => None,
        }
    }
}

/// A step of a path, for who asks what it can lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn<'p> {
    /// To a field of an object.
    Field(&'p Arc<str>),
    /// To an item of an array.
    Item,
    /// To any number of places.
    Many,
}

impl Path {
    /// Its steps, one by one.
    pub(crate) fn turns(&self) -> impl Iterator<Item = Turn<'_>> {
        self.steps.iter().map(|step| match step {
            Step::Field(name) => Turn::Field(name),
            Step::Index(_) => Turn::Item,
            _ => Turn::Many,
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A path that a result can be written to: names and single indexes below `$`.
#[derive(Clone, Debug)]
pub struct ReferencePath {
    text: Arc<str>,
    steps: Vec<ReferenceStep>,
}

#[derive(Clone, Debug)]
enum ReferenceStep {
    Field(Arc<str>),
    Index(usize),
}

impl ReferencePath {
    /// Compiles a reference path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let path = Path::parse(text)?;
        if path.root != Root::Input {
            return Err(PathError::not_a_reference(text));
        }
        let steps = path
            .steps
            .into_iter()
            .map(|step| match step {
                Step::Field(name) => Ok(ReferenceStep::Field(name)),
                Step::Index(index) => usize::try_from(index).map(ReferenceStep::Index).map_err(|_| ()),
                _ => Err(()),
            })
            .collect::<Result<_, ()>>()
            .map_err(|()| PathError::not_a_reference(text))?;
        Ok(Self { text: path.text, steps })
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its steps, one by one.
    pub(crate) fn turns(&self) -> impl DoubleEndedIterator<Item = Turn<'_>> {
        self.steps.iter().map(|step| match step {
            ReferenceStep::Field(name) => Turn::Field(name),
            ReferenceStep::Index(_) => Turn::Item,
        })
    }

    /// `whole` with `part` written at this path; objects on the way are made where there is nothing.
    ///
    /// Only what lies on the path is copied, and only where `whole` is held elsewhere too. Fails, giving back nothing,
    /// where a value on the way is neither an object nor an array with that index.
    pub fn write(&self, mut whole: Value, part: Value) -> Result<Value, Unwritable> {
        let mut place = &mut whole;
        for step in &self.steps {
            place = match (step, place) {
                (ReferenceStep::Field(name), place @ Value::Null) => {
                    *place = Value::empty_object();
                    let Value::Object(fields) = place else { return Err(Unwritable) };
                    Arc::make_mut(fields).entry(name.clone()).or_default()
                }
                (ReferenceStep::Field(name), Value::Object(fields)) => {
                    Arc::make_mut(fields).entry(name.clone()).or_default()
                }
                (ReferenceStep::Index(index), Value::Array(items)) => {
                    Arc::make_mut(items).get_mut(*index).ok_or(Unwritable)?
                }
                _ => return Err(Unwritable),
            };
        }
        *place = part;
        Ok(whole)
    }
}

/// A reference path leads through something that holds no such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritable;

#[cfg(test)]
mod tests;
