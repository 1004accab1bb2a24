//! Paths that lead to what no state before can have written.
//!
//! The data of each state are followed from the start of its graph on, as far as the definition tells what they are: an
//! execution's input and a task's result can be anything. Only what is certain is told: a field may be there if it is on
//! one way to the state.

use std::collections::VecDeque;

use super::{
    diagnostic::{Code, Findings, Pointer},
    edges::{Edge, Way},
    fields::nearest,
    shape::{Never, Shape},
    uses::{Dollar, Use, Used, uses},
};
use crate::{
    flow::{DataFlow, ResultPath, Selection},
    jsonata::{Jsonata, NamedPlace},
    machine::{Graph, Items, Kind, Machine, Map, Processing, State, StateId},
    path::{Path, Root},
    retry::CatchOutput,
    template::{Code as Written, Expression, Template},
};

/// How often a state's input may turn out to be more than was known, before it counts as anything: in a circle it may grow
/// each time.
const MAX_VISITS: usize = 8;

/// How many of the fields that are there instead are told.
const MAX_TOLD: usize = 5;

/// Reports every path that can't be found.
pub(super) fn check(machine: &Machine, findings: &mut Findings) {
    graph(&machine.graph, Shape::Anything, findings);
}

fn graph(graph: &Graph, start: Shape, findings: &mut Findings) {
    for (state, input) in graph.states.iter().zip(inputs(graph, start)) {
        // What can't be reached was refused.
        let Some(input) = input else { continue };
        let data = Data::of(state, input);
        data.check(state, findings);
        let inner = data.inner_input(state);
        for inner_graph in state.graphs() {
            self::graph(inner_graph, inner.clone(), findings);
        }
    }
}

/// What the states of a graph are given.
fn inputs(graph: &Graph, start: Shape) -> Vec<Option<Shape>> {
    let mut inputs: Vec<Option<Shape>> = vec![None; graph.states.len()];
    let mut visits = vec![0_usize; graph.states.len()];
    let mut left: VecDeque<(StateId, Shape)> = VecDeque::from([(graph.start, start)]);
    while let Some((StateId(id), shape)) = left.pop_front() {
        let (Some(known), Some(visits), Some(state)) = (inputs.get_mut(id), visits.get_mut(id), graph.states.get(id))
        else {
            continue;
        };
        if known.as_ref().is_some_and(|known| known.has_all_of(&shape)) {
            continue;
        }
        *visits += 1;
        let joined = match known {
            _ if *visits > MAX_VISITS => Shape::Anything,
            Some(known) => known.or(&shape),
            None => shape,
        };
        *known = Some(joined.clone());
        let data = Data::of(state, joined);
        left.extend(Edge::of(state).into_iter().map(|edge| (edge.to, data.output(state, edge))));
    }
    inputs
}

/// A state's data on their way through its fields.
struct Data {
    input: Shape,
    selected: Shape,
    effective: Shape,
    result: Shape,
    placed: Shape,
}

impl Data {
    fn of(state: &State, input: Shape) -> Self {
        match &state.flow {
            DataFlow::JsonPath(flow) => {
                let selected = select(&flow.input_path, &input);
                let effective =
                    flow.parameters.as_ref().map_or_else(|| selected.clone(), |parameters| fill(parameters, &selected));
                let result = result(state, &selected, &effective);
                let shown =
                    flow.result_selector.as_ref().map_or_else(|| result.clone(), |selector| fill(selector, &result));
                let placed = place(&flow.result_path, &input, shown);
                Self { input, selected, effective, result, placed }
            }
            DataFlow::Jsonata(flow) => {
                let data = |input: Shape, effective: Shape, result: Shape| Self {
                    selected: input.clone(),
                    placed: Shape::Anything,
                    input,
                    effective,
                    result,
                };
                let before = data(input.clone(), Shape::Anything, Shape::Anything);
                let effective =
                    flow.arguments.as_ref().map_or_else(|| input.clone(), |arguments| before.fill_jsonata(arguments));
                let result = result(state, &input, &effective);
                data(input, effective, result)
            }
        }
    }

    /// What a template of JSONata makes of the data.
    fn fill_jsonata(&self, template: &Template) -> Shape {
        match template {
            Template::Literal(value) => Shape::of(value),
            Template::Array(items) => Shape::array_of(items.iter().map(|item| self.fill_jsonata(item))),
            Template::Object(fields) => {
                Shape::object(fields.iter().map(|(name, field)| (name.clone(), self.fill_jsonata(field))))
            }
            Template::Expression(expression) => match expression.code() {
                Written::Jsonata(jsonata) => self.named(jsonata).and_then(Result::ok).unwrap_or(Shape::Anything),
                Written::Path(_) | Written::Call(_) => Shape::Anything,
            },
        }
    }

    /// What an expression names, if it does nothing else and names something of `$states`.
    fn named(&self, jsonata: &Jsonata) -> Option<Result<Shape, Never>> {
        let NamedPlace { fields, is_all, .. } = jsonata.named()?;
        let mut at = self.dollar(of_states(jsonata)?);
        let (_, rest) = fields.split_first()?;
        for name in rest {
            at = match at.field_of_each(name) {
                Ok(below) => below,
                Err(missing) => return Some(Err(missing)),
            };
        }
        Some(Ok(if is_all { at } else { Shape::Anything }))
    }

    /// What the next state is given.
    fn output(&self, state: &State, edge: Edge<'_>) -> Shape {
        match (edge.way, &state.flow) {
            (Way::Caught(catcher), _) => match &catcher.output {
                CatchOutput::ResultPath(path) => place(path, &self.input, error_output()),
                CatchOutput::Template(None) => error_output(),
                CatchOutput::Template(Some(template)) => self.fill_jsonata(template),
            },
            (Way::Done | Way::Chosen(_), DataFlow::JsonPath(flow)) => select(&flow.output_path, &self.placed),
            (Way::Done, DataFlow::Jsonata(flow)) => {
                flow.output.as_ref().map_or_else(|| self.result.clone(), |output| self.fill_jsonata(output))
            }
            (Way::Chosen(rule), DataFlow::Jsonata(_)) => {
                rule.output.as_ref().map_or_else(|| self.input.clone(), |output| self.fill_jsonata(output))
            }
        }
    }

    /// What the first state of a branch or of an iteration is given.
    fn inner_input(&self, state: &State) -> Shape {
        let Kind::Map(Map { items, item_selector, processing, .. }) = &state.kind else {
            return self.effective.clone();
        };
        if let Processing::Distributed(distributed) = processing
            && (distributed.batcher.is_some() || distributed.reader.is_some() && item_selector.is_none())
        {
            return Shape::Anything;
        }
        match (item_selector, items, state.flow.is_jsonata()) {
            (Some(selector), _, false) => fill(selector, &self.selected),
            (Some(selector), _, true) => self.fill_jsonata(selector),
            (None, Items::Input, _) => self.selected.items(),
            (None, Items::Path(expression), _) => evaluate(expression, &self.selected).items(),
            (None, Items::Template(template), _) => self.fill_jsonata(template).items(),
        }
    }

    /// Reports what a state reads and can't find.
    fn check(&self, state: &State, findings: &mut Findings) {
        let all = uses(state);
        let asked: Vec<&str> = all.iter().filter(|used| used.is_asked).filter_map(|used| text(used.used)).collect();
        for Use { at, used, is_asked } in &all {
            // Whoever asks whether something is there knows that it may not be.
            let is_guarded = text(*used).is_some_and(|text| asked.iter().any(|asked| text.starts_with(asked)));
            if *is_asked || is_guarded {
                continue;
            }
            let missing = match used {
                Used::Path(path, dollar) if *path.root() == Root::Input => self.dollar(*dollar).follow(path).err(),
                Used::Path(..) => None,
                Used::Jsonata(jsonata) => self.named(jsonata).and_then(Result::err),
            };
            if let Some(missing) = missing {
                tell(&missing, at, *used, findings);
            }
        }
    }

    /// What `$` is for a path.
    fn dollar(&self, dollar: Dollar) -> Shape {
        match dollar {
            Dollar::Input => self.input.clone(),
            Dollar::Selected => self.selected.clone(),
            Dollar::Result => self.result.clone(),
            Dollar::Placed => self.placed.clone(),
            Dollar::ErrorOutput => error_output(),
        }
    }
}

fn tell(never: &Never, at: &Pointer, used: Used<'_>, findings: &mut Findings) {
    let (text, whose) = match used {
        Used::Path(path, dollar) => (path.text(), dollar),
        Used::Jsonata(jsonata) => (jsonata.text(), of_states(jsonata).unwrap_or(Dollar::Input)),
    };
    let why = match whose {
        Dollar::Input | Dollar::Selected => "no state before this one writes it",
        Dollar::Result => "the state's result has no such place",
        Dollar::Placed => "neither the state's input nor its result has such a place",
        Dollar::ErrorOutput => "a catcher is given 'Error' and 'Cause'",
    };
    findings.warning_with_help(Code::NeverFound, at, format!("'{text}' is never there: {why}"), help(never));
}

/// What may be meant, or what there is.
fn help(never: &Never) -> Option<String> {
    if let Some(near) = nearest(&never.name, never.there.iter().map(|name| &**name)) {
        return Some(format!("did you mean '{near}'?"));
    }
    let told: Vec<_> = never.there.iter().take(MAX_TOLD).map(|name| format!("'{name}'")).collect();
    let more = if never.there.len() > MAX_TOLD { ", …" } else { "" };
    (!told.is_empty()).then(|| format!("there is {}{more}", told.join(", ")))
}

fn text(used: Used<'_>) -> Option<&str> {
    match used {
        Used::Path(path, _) => Some(path.text()),
        Used::Jsonata(_) => None,
    }
}

fn select(selection: &Selection, from: &Shape) -> Shape {
    match selection {
        Selection::Whole => from.clone(),
        Selection::Nothing => Shape::scalar(),
        Selection::Path(path) => find(path, from),
    }
}

/// What a path leads to. Where it can't be found the state fails, and nothing more is known.
fn find(path: &Path, from: &Shape) -> Shape {
    match path.root() {
        Root::Input => from.follow(path).unwrap_or(Shape::Anything),
        Root::Context | Root::Variable(_) => Shape::Anything,
    }
}

fn evaluate(expression: &Expression, from: &Shape) -> Shape {
    match expression.code() {
        Written::Path(path) => find(path, from),
        Written::Call(_) | Written::Jsonata(_) => Shape::Anything,
    }
}

/// What a template of `JSONPath` makes of `$`.
fn fill(template: &Template, from: &Shape) -> Shape {
    match template {
        Template::Literal(value) => Shape::of(value),
        Template::Expression(expression) => evaluate(expression, from),
        Template::Array(items) => Shape::array_of(items.iter().map(|item| fill(item, from))),
        Template::Object(fields) => Shape::object(fields.iter().map(|(name, field)| (name.clone(), fill(field, from)))),
    }
}

fn place(path: &ResultPath, input: &Shape, result: Shape) -> Shape {
    match path {
        ResultPath::Replace => result,
        ResultPath::Discard => input.clone(),
        ResultPath::At(path) => input.with(path, result),
    }
}

/// What a state's work gives.
fn result(state: &State, selected: &Shape, effective: &Shape) -> Shape {
    match &state.kind {
        Kind::Pass(pass) => pass.result.as_ref().map_or_else(|| effective.clone(), Shape::of),
        Kind::Choice(_) | Kind::Wait(_) | Kind::Succeed | Kind::Fail(_) => selected.clone(),
        Kind::Task(_) => Shape::Anything,
        Kind::Parallel(_) => Shape::array(Shape::Anything),
        Kind::Map(map) => match map.processing {
            Processing::Inline => Shape::array(Shape::Anything),
            // Where the results go is told in their place, if they go anywhere.
            Processing::Distributed(_) => Shape::Anything,
        },
    }
}

/// The part of `$states` that an expression names something of, as a path would have it.
fn of_states(jsonata: &Jsonata) -> Option<Dollar> {
    let NamedPlace { variable, fields, .. } = jsonata.named()?;
    match (variable, *fields.first()?) {
        ("states", "input") => Some(Dollar::Input),
        ("states", "result") => Some(Dollar::Result),
        ("states", "errorOutput") => Some(Dollar::ErrorOutput),
        _ => None,
    }
}

/// What a catcher is given.
fn error_output() -> Shape {
    Shape::object(["Error", "Cause"].map(|name| (name.into(), Shape::scalar())))
}
