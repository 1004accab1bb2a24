//! How data goes through a state: the fields around its work, by the query language.

use std::sync::Arc;

use crate::{
    context::Scope,
    fault::{Fault, FieldError, names},
    path::{Path, ReferencePath},
    template::Template,
    value::Value,
};

/// The fields of one state around its work. Those that its type does not have are absent.
#[derive(Clone, Debug)]
pub enum DataFlow {
    /// `JSONPath`
    JsonPath(JsonPathFlow),
    /// JSONata
    Jsonata(JsonataFlow),
}

/// A point on the way of data through a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// After `InputPath`
    InputPath,
    /// After `Parameters`, whether the state has them or not.
    Parameters,
    /// After `Arguments`
    Arguments,
    /// After `ItemsPath`: the array of a Map state, in `JSONPath` alone.
    ItemsPath,
    /// After `ItemsPointer`: the items of a distributed Map state that are inside of what was read.
    ItemsPointer,
    /// After `ItemSelector`: the inputs of a Map state's iterations.
    ItemSelector,
    /// After `ItemBatcher`: the inputs of child executions that several items share.
    ItemBatcher,
    /// What the work gave.
    Result,
    /// After `ResultSelector`
    ResultSelector,
    /// After `ResultPath`
    ResultPath,
}

/// `InputPath`, `Parameters`, the work, `ResultSelector`, `ResultPath`, `OutputPath`, in this order.
#[derive(Clone, Debug, Default)]
pub struct JsonPathFlow {
    /// `InputPath`
    pub input_path: Selection,
    /// `Parameters`
    pub parameters: Option<Template>,
    /// `ResultSelector`
    pub result_selector: Option<Template>,
    /// `ResultPath`
    pub result_path: ResultPath,
    /// `OutputPath`
    pub output_path: Selection,
}

/// `Arguments`, the work, `Output`.
#[derive(Clone, Debug, Default)]
pub struct JsonataFlow {
    /// `Arguments`
    pub arguments: Option<Template>,
    /// `Output`
    pub output: Option<Template>,
}

/// `InputPath`, `OutputPath`: which part of a value is taken.
#[derive(Clone, Debug, Default)]
pub enum Selection {
    /// All of it: the field is absent or `$`.
    #[default]
    Whole,
    /// `null`: an empty object in its place.
    Nothing,
    /// What the path names.
    Path(Path),
}

/// `ResultPath`: where a result goes in the state's input.
#[derive(Clone, Debug, Default)]
pub enum ResultPath {
    /// In place of the input: the field is absent or `$`.
    #[default]
    Replace,
    /// `null`: nowhere.
    Discard,
    /// To this place in the input.
    At(ReferencePath),
}

impl DataFlow {
    /// Whether the state's language is JSONata.
    pub fn is_jsonata(&self) -> bool {
        matches!(self, Self::Jsonata(_))
    }

    /// The state's input after `InputPath`; in JSONata the input itself.
    pub fn selected_input(&self, scope: &Scope<'_>) -> Result<Value, FieldError> {
        match self {
            Self::JsonPath(flow) => flow.selected_input(scope),
            Self::Jsonata(_) => Ok(scope.input.clone()),
        }
    }

    /// What the work is done with: the state's input after `InputPath` and `Parameters`, or `Arguments`.
    ///
    /// `scope` has the state's raw input as `$`.
    pub fn effective_input(&self, scope: &Scope<'_>) -> Result<Value, FieldError> {
        match self {
            Self::JsonPath(flow) => flow.effective_input(scope),
            Self::Jsonata(flow) => flow.effective_input(scope),
        }
    }

    /// The state's output: its result through `ResultSelector`, `ResultPath` and `OutputPath`, or `Output`.
    ///
    /// `scope` has the state's raw input as `$`, and for JSONata the result where the state's type gives it one.
    pub fn output(&self, scope: &Scope<'_>, result: &Value) -> Result<Value, FieldError> {
        match self {
            Self::JsonPath(flow) => flow.output(scope, result),
            Self::Jsonata(flow) => flow.output(scope, result),
        }
    }
}

impl JsonPathFlow {
    fn selected_input(&self, scope: &Scope<'_>) -> Result<Value, FieldError> {
        Ok(scope.observed(Stage::InputPath, self.input_path.select(scope)?))
    }

    fn effective_input(&self, scope: &Scope<'_>) -> Result<Value, FieldError> {
        let selected = self.selected_input(scope)?;
        let effective = match &self.parameters {
            Some(parameters) => parameters.fill(&scope.with_input(&selected))?,
            None => selected,
        };
        Ok(scope.observed(Stage::Parameters, effective))
    }

    fn output(&self, scope: &Scope<'_>, result: &Value) -> Result<Value, FieldError> {
        let selected = match &self.result_selector {
            Some(selector) => selector.fill(&scope.with_input(result))?,
            None => result.clone(),
        };
        let selected = scope.observed(Stage::ResultSelector, selected);
        let placed = scope.observed(Stage::ResultPath, self.result_path.place(scope.input, selected)?);
        Ok(self.output_path.select(&scope.with_input(&placed))?)
    }
}

impl JsonataFlow {
    fn effective_input(&self, scope: &Scope<'_>) -> Result<Value, FieldError> {
        let effective = match &self.arguments {
            Some(arguments) => arguments.fill(scope)?,
            None => scope.input.clone(),
        };
        Ok(scope.observed(Stage::Arguments, effective))
    }

    fn output(&self, scope: &Scope<'_>, result: &Value) -> Result<Value, FieldError> {
        match &self.output {
            Some(output) => output.fill(scope),
            None => Ok(result.clone()),
        }
    }
}

impl Selection {
    /// The part of `$` that is taken.
    pub fn select(&self, scope: &Scope<'_>) -> Result<Value, Fault> {
        match self {
            Self::Whole => Ok(scope.input.clone()),
            Self::Nothing => Ok(Value::empty_object()),
            Self::Path(path) => {
                path.find(scope).map_err(|missing| Fault::runtime(format!("Invalid path '{path}' : {missing}")))
            }
        }
    }
}

impl ResultPath {
    /// The state's raw input with a result in it.
    pub fn place(&self, input: &Value, result: Value) -> Result<Value, Fault> {
        match self {
            Self::Replace => Ok(result),
            Self::Discard => Ok(input.clone()),
            Self::At(path) => path.write(input.clone(), result).map_err(|_| {
                let cause = format!("Unable to apply ReferencePath {} to input {input}", path.text());
                Fault::new(names::RESULT_PATH_MATCH_FAILURE, Arc::<str>::from(cause))
            }),
        }
    }
}
