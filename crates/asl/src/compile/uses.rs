//! What a state reads: each of its paths and expressions, with its place.

use super::diagnostic::Pointer;
use crate::{
    choice::{self, Operand, Rule, Test},
    distributed::{Distributed, ItemBatcher, ItemReader, ResultWriter},
    flow::{DataFlow, JsonPathFlow, JsonataFlow, Selection},
    jsonata::Jsonata,
    machine::{Choice, Count, Fail, FailText, Items, Kind, Map, Percentage, Processing, State, Task, Until},
    path::{Path, Root},
    retry::CatchOutput,
    template::{Code, Expression, Template},
};

/// What `$` is for a path, by the field that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dollar {
    /// The state's input as it comes.
    Input,
    /// The input after `InputPath`.
    Selected,
    /// What the state's work gave.
    Result,
    /// The input with the result in it, which `OutputPath` selects from.
    Placed,
    /// What a catcher is given.
    ErrorOutput,
}

/// A path or an expression of a state.
pub(super) struct Use<'m> {
    pub(super) at: Pointer,
    pub(super) used: Used<'m>,
    /// Whether it is only asked if there is something: `IsPresent`.
    pub(super) is_asked: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Used<'m> {
    Path(&'m Path, Dollar),
    Jsonata(&'m Jsonata),
}

impl<'m> Used<'m> {
    /// The variables that are read, but for `$states`. A name may be that of a function of JSONata.
    pub(super) fn variables(self) -> Vec<&'m str> {
        match self {
            Self::Path(path, _) => match path.root() {
                Root::Variable(name) => vec![name],
                Root::Input | Root::Context => Vec::new(),
            },
            Self::Jsonata(jsonata) => {
                let mut names: Vec<&str> = jsonata
                    .references()
                    .iter()
                    .map(|reference| reference.variable.as_str())
                    .filter(|name| *name != "states")
                    .collect();
                names.sort_unstable();
                names.dedup();
                names
            }
        }
    }
}

/// Everything that a state reads itself, without the states inside of it.
pub(super) fn uses(state: &State) -> Vec<Use<'_>> {
    let mut uses = Uses { state: Pointer::of(&state.location), found: Vec::new() };
    let at = uses.state.clone();
    match &state.flow {
        DataFlow::JsonPath(flow) => uses.json_path_flow(flow),
        DataFlow::Jsonata(JsonataFlow { arguments, output }) => {
            uses.template(&at.child("Arguments"), arguments.as_ref(), Dollar::Input);
            uses.template(&at.child("Output"), output.as_ref(), Dollar::Result);
        }
    }
    uses.template(&at.child("Assign"), state.assign.as_ref(), Dollar::Result);
    match &state.kind {
        Kind::Pass(_) | Kind::Succeed | Kind::Parallel(_) => {}
        Kind::Task(task) => uses.task(task),
        Kind::Choice(choice) => uses.choice(choice),
        Kind::Wait(wait) => match &wait.until {
            Until::Seconds(_) | Until::Timestamp(_) => {}
            Until::SecondsOf(expression) | Until::TimestampOf(expression) => {
                uses.expression(&at, expression, Dollar::Selected);
            }
        },
        Kind::Fail(Fail { error, cause }) => {
            for text in [error, cause].into_iter().flatten() {
                match text {
                    FailText::Literal(_) => {}
                    FailText::Expression(expression) => uses.expression(&at, expression, Dollar::Input),
                }
            }
        }
        Kind::Map(map) => uses.map(map),
    }
    for (index, catcher) in state.catchers().iter().enumerate() {
        let at = at.child("Catch").element(index);
        uses.template(&at.child("Assign"), catcher.assign.as_ref(), Dollar::ErrorOutput);
        if let CatchOutput::Template(output) = &catcher.output {
            uses.template(&at.child("Output"), output.as_ref(), Dollar::ErrorOutput);
        }
    }
    uses.found
}

struct Uses<'m> {
    /// The place of the state.
    state: Pointer,
    found: Vec<Use<'m>>,
}

impl<'m> Uses<'m> {
    fn path(&mut self, at: Pointer, path: &'m Path, dollar: Dollar) {
        self.found.push(Use { at, used: Used::Path(path, dollar), is_asked: false });
    }

    /// An expression in a field of the object at `beside`.
    fn expression(&mut self, beside: &Pointer, expression: &'m Expression, dollar: Dollar) {
        match expression.code() {
            // Its field is told from the state on.
            Code::Jsonata(jsonata) => {
                let at = self.state.child(expression.field());
                self.found.push(Use { at, used: Used::Jsonata(jsonata), is_asked: false });
            }
            Code::Path(_) | Code::Call(_) => {
                let at = beside.child(expression.field());
                for path in expression.paths() {
                    self.path(at.clone(), path, dollar);
                }
            }
        }
    }

    /// A template that is a field's value.
    fn template(&mut self, at: &Pointer, template: Option<&'m Template>, dollar: Dollar) {
        match template {
            None | Some(Template::Literal(_)) => {}
            // In `JSONPath` an expression is a field of an object, which is read below.
            Some(Template::Expression(expression)) => self.expression(at, expression, dollar),
            Some(Template::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.template(&at.element(index), Some(item), dollar);
                }
            }
            Some(Template::Object(fields)) => {
                for (name, field) in fields {
                    match field {
                        Template::Expression(expression) => self.expression(at, expression, dollar),
                        other => self.template(&at.child(name), Some(other), dollar),
                    }
                }
            }
        }
    }

    fn selection(&mut self, name: &str, selection: &'m Selection, dollar: Dollar) {
        if let Selection::Path(path) = selection {
            self.path(self.state.child(name), path, dollar);
        }
    }

    fn json_path_flow(&mut self, flow: &'m JsonPathFlow) {
        let JsonPathFlow { input_path, parameters, result_selector, result_path: _, output_path } = flow;
        let at = self.state.clone();
        self.selection("InputPath", input_path, Dollar::Input);
        self.template(&at.child("Parameters"), parameters.as_ref(), Dollar::Selected);
        self.template(&at.child("ResultSelector"), result_selector.as_ref(), Dollar::Result);
        self.selection("OutputPath", output_path, Dollar::Placed);
    }

    fn count(&mut self, beside: &Pointer, count: Option<&'m Count>) {
        if let Some(Count::Expression(expression)) = count {
            self.expression(beside, expression, Dollar::Selected);
        }
    }

    fn task(&mut self, task: &'m Task) {
        let at = self.state.clone();
        self.count(&at, task.timeout.as_ref());
        self.count(&at, task.heartbeat.as_ref());
        self.template(&at.child("Credentials"), task.credentials.as_ref(), Dollar::Selected);
    }

    fn choice(&mut self, choice: &'m Choice) {
        let all = self.state.child("Choices");
        for (index, rule) in choice.rules.iter().enumerate() {
            let at = all.element(index);
            self.rule(&at, &rule.rule);
            self.template(&at.child("Assign"), rule.assign.as_ref(), Dollar::Selected);
            self.template(&at.child("Output"), rule.output.as_ref(), Dollar::Selected);
        }
    }

    fn rule(&mut self, at: &Pointer, rule: &'m Rule) {
        let all = |uses: &mut Self, name, rules: &'m [Rule]| {
            for (index, rule) in rules.iter().enumerate() {
                uses.rule(&at.child(name).element(index), rule);
            }
        };
        match rule {
            Rule::Constant(_) => {}
            Rule::Condition(expression) => self.expression(at, expression, Dollar::Selected),
            Rule::And(rules) => all(self, "And", rules),
            Rule::Or(rules) => all(self, "Or", rules),
            Rule::Not(rule) => self.rule(&at.child("Not"), rule),
            Rule::Test { variable, test } => {
                let used = Used::Path(variable, Dollar::Selected);
                self.found.push(Use { at: at.child("Variable"), used, is_asked: asks_presence(test) });
                if let Some(path) = operand(test) {
                    self.path(at.clone(), path, Dollar::Selected);
                }
            }
        }
    }

    fn map(&mut self, map: &'m Map) {
        let at = self.state.clone();
        match &map.items {
            Items::Input => {}
            Items::Path(expression) => self.expression(&at, expression, Dollar::Selected),
            Items::Template(template) => self.template(&at.child("Items"), Some(template), Dollar::Selected),
        }
        self.template(&at.child("ItemSelector"), map.item_selector.as_ref(), Dollar::Selected);
        self.count(&at, map.max_concurrency.as_ref());
        self.count(&at, map.tolerated_failure_count.as_ref());
        if let Some(Percentage::Expression(expression)) = &map.tolerated_failure_percentage {
            self.expression(&at, expression, Dollar::Selected);
        }
        if let Processing::Distributed(distributed) = &map.processing {
            self.distributed(distributed);
        }
    }

    fn distributed(&mut self, distributed: &'m Distributed) {
        if let Some(ItemReader { dataset: _, parameters, max_items }) = &distributed.reader {
            let at = self.state.child("ItemReader");
            self.template(&at.child("Parameters"), Some(parameters), Dollar::Selected);
            self.count(&at.child("ReaderConfig"), max_items.as_ref());
        }
        if let Some(ItemBatcher { max_items, max_bytes, batch_input }) = &distributed.batcher {
            let at = self.state.child("ItemBatcher");
            self.count(&at, max_items.as_ref());
            self.count(&at, max_bytes.as_ref());
            self.template(&at.child("BatchInput"), batch_input.as_ref(), Dollar::Selected);
        }
        if let ResultWriter::Export { parameters, .. } = &distributed.writer {
            let at = self.state.child("ResultWriter");
            self.template(&at.child("Parameters"), Some(parameters), Dollar::Selected);
        }
    }
}

fn asks_presence(test: &Test) -> bool {
    matches!(test, Test::Is { kind: choice::Kind::Present, .. })
}

/// The path that a test compares with.
fn operand(test: &Test) -> Option<&Path> {
    match test {
        Test::Boolean(Operand::Path(path))
        | Test::Numeric(_, Operand::Path(path))
        | Test::String(_, Operand::Path(path))
        | Test::Timestamp(_, Operand::Path(path)) => Some(path),
        Test::Is { .. }
        | Test::Boolean(_)
        | Test::Numeric(..)
        | Test::String(..)
        | Test::Timestamp(..)
        | Test::StringMatches(_) => None,
    }
}
