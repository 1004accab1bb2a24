//! What an expression reads: found once, when it is compiled.

use std::{collections::HashMap, fmt};

use indexmap::IndexSet;
use jsonata_core::{
    ast::{AstNode, BinaryOp, PathStep, Stage},
    value::JValue,
};

use super::{
    States, conversion, guard,
    plain::{is_bare, of_states},
};
use crate::{Value, context::Environment, value::Object};

/// The one variable that the service itself assigns.
pub(super) const STATES: &str = "states";

/// A variable that an expression reads and does not bind itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Its name, without the `$`.
    pub variable: String,
    /// The fields below it that are named right after it: `["input", "order"]` of `$states.input.order[0].id`.
    pub fields: Vec<String>,
}

/// What an expression reads of the context where the service has none. Prints as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TopLevel {
    /// `$`
    Context,
    /// `$$`, wherever it stands
    Root,
    /// The name of a field
    Field(String),
    /// `*`
    Wildcard,
    /// `**`
    Descendant,
}

impl fmt::Display for TopLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Context => "$",
            Self::Root => "$$",
            Self::Field(name) => name,
            Self::Wildcard => "*",
            Self::Descendant => "**",
        })
    }
}

/// Everything that an expression reads.
pub(super) struct References {
    pub(super) variables: Vec<Reference>,
    /// The functions that are called by their names.
    pub(super) functions: Vec<String>,
    pub(super) top_level: Vec<TopLevel>,
    /// What must be bound before it is evaluated.
    pub(super) needs: Vec<Need>,
}

/// A variable to bind, and which parts of its value.
pub(super) struct Need {
    name: String,
    /// Its name in the tree that is evaluated.
    in_tree: String,
    selection: Selection,
}

/// The parts of a value that an expression names. Only these are converted for the engine.
#[derive(Default)]
struct Selection {
    whole: bool,
    fields: Vec<(String, Selection)>,
}

impl References {
    pub(super) fn of(ast: &AstNode) -> Self {
        let mut walk = Walk::default();
        walk.node(ast, true);
        let mut needs: Vec<Need> = Vec::new();
        for Reference { variable, fields } in walk.variables.iter().chain(&walk.functions) {
            // A parent step (`%`) sees more of a value than the path names.
            let fields = if walk.parents { &[] } else { fields.as_slice() };
            let index = needs.iter().position(|need| need.name == *variable).unwrap_or_else(|| {
                let in_tree = guard::renamed(variable.clone());
                needs.push(Need { name: variable.clone(), in_tree, selection: Selection::default() });
                needs.len() - 1
            });
            if let Some(need) = needs.get_mut(index) {
                need.selection.add(fields);
            }
        }
        Self {
            variables: walk.variables.into_iter().collect(),
            functions: walk.functions.into_iter().map(|function| function.variable).collect(),
            top_level: walk.top_level.into_iter().collect(),
            needs,
        }
    }
}

impl Need {
    /// Its name in the tree and its value for the engine, or nothing where the variable is not assigned.
    pub(super) fn convert(&self, states: &States<'_>, environment: &dyn Environment) -> Option<(&str, JValue)> {
        Some((&self.in_tree, self.value(states, environment)?))
    }

    fn value(&self, states: &States<'_>, environment: &dyn Environment) -> Option<JValue> {
        if self.name != STATES {
            return Some(self.selection.apply(&environment.variable(&self.name)?));
        }
        if self.selection.whole {
            return Some(conversion::from_value(&states_object(states, environment)));
        }
        let fields = self.selection.fields.iter().filter_map(|(field, selection)| {
            Some((field.clone(), selection.apply(&of_states(field, states, environment)?)))
        });
        Some(JValue::object(fields.collect()))
    }
}

/// The whole of `$states`.
pub(super) fn states_object(states: &States<'_>, environment: &dyn Environment) -> Value {
    let mut object = Object::new();
    object.insert("context".into(), environment.context());
    object.insert("input".into(), states.input.clone());
    if let Some(result) = states.result {
        object.insert("result".into(), result.clone());
    }
    if let Some(error_output) = states.error_output {
        object.insert("errorOutput".into(), error_output.clone());
    }
    object.into()
}

impl Selection {
    fn add(&mut self, fields: &[String]) {
        let Some((first, rest)) = fields.split_first() else {
            self.whole = true;
            return;
        };
        match self.fields.iter_mut().find(|(field, _)| field == first) {
            Some((_, selection)) => selection.add(rest),
            None => {
                let mut selection = Self::default();
                selection.add(rest);
                self.fields.push((first.clone(), selection));
            }
        }
    }

    /// The named parts of a value, in the shape of the whole: a field of an array is a field of each of its items.
    fn apply(&self, value: &Value) -> JValue {
        match value {
            Value::Object(object) if !self.whole => JValue::object(
                self.fields
                    .iter()
                    .filter_map(|(field, selection)| {
                        Some((field.clone(), selection.apply(object.get(field.as_str())?)))
                    })
                    .collect(),
            ),
            Value::Array(items) if !self.whole => JValue::array(items.iter().map(|item| self.apply(item)).collect()),
            value => conversion::from_value(value),
        }
    }
}

/// A walk through an expression in the order of its evaluation.
#[derive(Default)]
struct Walk {
    variables: IndexSet<Reference>,
    /// Names that are called. A variable hides the function of its name.
    functions: IndexSet<Reference>,
    top_level: IndexSet<TopLevel>,
    /// Whether a parent step is among it.
    parents: bool,
    /// How many of the scopes around bind a name.
    bound: HashMap<String, usize>,
    /// The names in the order in which they were bound.
    order: Vec<String>,
}

impl Walk {
    /// `top` says whether the context is that of the whole expression.
    fn node(&mut self, node: &AstNode, top: bool) {
        match node {
            AstNode::Variable(name) => self.variable(name, Vec::new(), top),
            AstNode::ParentVariable(name) if name.is_empty() => {
                self.top_level.insert(TopLevel::Root);
            }
            AstNode::ParentVariable(name) => self.variable(&format!("${name}"), Vec::new(), top),
            AstNode::Name(name) => self.read(TopLevel::Field(name.clone()), top),
            AstNode::Wildcard => self.read(TopLevel::Wildcard, top),
            AstNode::Descendant => self.read(TopLevel::Descendant, top),
            AstNode::Parent(_) => self.parents = true,
            AstNode::Path { .. } | AstNode::Sort { .. } => self.scope(|walk| walk.path(node, top)),
            AstNode::ObjectTransform { input, pattern } => self.scope(|walk| {
                walk.path(input, top);
                walk.pairs(pattern, false);
            }),
            AstNode::Binary { op: BinaryOp::ColonEqual, lhs, rhs } => {
                self.node(rhs, top);
                if let AstNode::Variable(name) = &**lhs {
                    self.bind(name);
                }
            }
            AstNode::Binary { op: BinaryOp::And | BinaryOp::Or, lhs, rhs } => {
                self.node(lhs, top);
                self.scope(|walk| walk.node(rhs, top));
            }
            AstNode::Binary { lhs, rhs, .. } => {
                self.node(lhs, top);
                self.node(rhs, top);
            }
            AstNode::Unary { operand, .. } => self.node(operand, top),
            AstNode::Function { name, args, is_builtin } => {
                if !is_builtin {
                    self.read(TopLevel::Field(name.clone()), top);
                } else if !self.bound.contains_key(name) {
                    self.functions.insert(Reference { variable: name.clone(), fields: Vec::new() });
                }
                self.nodes(args, top);
            }
            AstNode::Call { procedure, args } => {
                self.node(procedure, top);
                self.nodes(args, top);
            }
            AstNode::Lambda { params, body, .. } => self.scope(|walk| {
                for name in params {
                    walk.bind(name);
                }
                walk.node(body, top);
            }),
            AstNode::Array(items) | AstNode::ArrayGroup(items) => self.nodes(items, top),
            AstNode::Object(pairs) => self.pairs(pairs, top),
            AstNode::Block(items) => self.scope(|walk| walk.nodes(items, top)),
            AstNode::FunctionApplication(inner) => self.node(inner, top),
            AstNode::Conditional { condition, then_branch, else_branch } => {
                self.node(condition, top);
                self.scope(|walk| walk.node(then_branch, top));
                if let Some(branch) = else_branch {
                    self.scope(|walk| walk.node(branch, top));
                }
            }
            AstNode::Transform { location, update, delete } => {
                self.node(location, false);
                self.node(update, false);
                if let Some(delete) = delete {
                    self.node(delete, false);
                }
            }
            AstNode::String(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Undefined
            | AstNode::Placeholder
            | AstNode::Regex { .. } => {}
        }
    }

    fn nodes(&mut self, nodes: &[AstNode], top: bool) {
        for node in nodes {
            self.node(node, top);
        }
    }

    fn pairs(&mut self, pairs: &[(AstNode, AstNode)], top: bool) {
        for (key, value) in pairs {
            self.node(key, top);
            self.node(value, top);
        }
    }

    /// A path with what is hung on to it. Its bindings (`@$a`, `#$i`) hold from their step to the end of all of that.
    fn path(&mut self, node: &AstNode, top: bool) {
        match node {
            AstNode::Path { steps } => self.steps(steps, top),
            AstNode::Sort { input, terms } => {
                self.path(input, top);
                for (term, _) in terms {
                    self.node(term, false);
                }
            }
            other => self.node(other, top),
        }
    }

    fn steps(&mut self, steps: &[PathStep], top: bool) {
        let Some((first, rest)) = steps.split_first() else { return };
        match &first.node {
            AstNode::Variable(name) => {
                let fields = if is_bare(first) { named(rest) } else { Vec::new() };
                self.variable(name, fields, top);
            }
            node => self.path(node, top),
        }
        self.beside(first);
        for step in rest {
            if !matches!(step.node, AstNode::Name(_)) {
                self.node(&step.node, false);
            }
            self.beside(step);
        }
    }

    /// The predicates and bindings of a step.
    fn beside(&mut self, step: &PathStep) {
        self.parents |= step.ancestor_label.is_some();
        step.focus.iter().chain(&step.index_var).for_each(|name| self.bind(name));
        for stage in &step.stages {
            match stage {
                Stage::Filter(filter) => self.node(filter, false),
                Stage::Index(name) => self.bind(name),
                Stage::KeepArray => {}
            }
        }
    }

    fn variable(&mut self, name: &str, fields: Vec<String>, top: bool) {
        if name.is_empty() {
            self.read(TopLevel::Context, top);
        } else if !self.bound.contains_key(name) {
            self.variables.insert(Reference { variable: name.to_owned(), fields });
        }
    }

    fn read(&mut self, what: TopLevel, top: bool) {
        if top {
            self.top_level.insert(what);
        }
    }

    fn bind(&mut self, name: &str) {
        *self.bound.entry(name.to_owned()).or_default() += 1;
        self.order.push(name.to_owned());
    }

    /// What is bound inside is not bound afterwards.
    fn scope(&mut self, inside: impl FnOnce(&mut Self)) {
        let mark = self.order.len();
        inside(self);
        for name in self.order.drain(mark..) {
            if let Some(count) = self.bound.get_mut(&name) {
                *count -= 1;
                if *count == 0 {
                    self.bound.remove(&name);
                }
            }
        }
    }
}

/// The names at the beginning of the rest of a path. One with a predicate is the last.
fn named(steps: &[PathStep]) -> Vec<String> {
    let mut names = Vec::new();
    for step in steps {
        let AstNode::Name(name) = &step.node else { break };
        if step.focus.is_some() {
            // The context stays what it was before this step.
            break;
        }
        names.push(name.clone());
        if !is_bare(step) {
            break;
        }
    }
    names
}
