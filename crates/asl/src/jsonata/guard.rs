//! What is changed in a tree before it is evaluated: the service's language is not quite the engine's, and the engine
//! trusts its expressions. Names that end with a blank can't be written in an expression.

use std::collections::HashSet;

use jsonata_core::ast::{AstNode, BinaryOp, Stage};

use super::{guarded, tree};

/// `left & right`, which knows how long a text may be.
pub(super) const CONCATENATE: &str = "&";
/// `first..last`, which knows how long an array may be.
pub(super) const RANGE: &str = "..";
/// Lets a value pass that is not too large when it is written out.
pub(super) const HOLD: &str = "hold ";
/// Lets a value pass that was just made, and counts it.
pub(super) const SPEND: &str = "spend ";
/// Makes nothing of an empty array.
pub(super) const SOME: &str = "some ";
/// The text of a `$match`.
pub(super) const SEARCHED: &str = "searched ";
/// The text and the replacement of a `$replace`.
pub(super) const SUBJECT: &str = "subject ";
pub(super) const REPLACEMENT: &str = "replacement ";

/// Behind the name of a guarded function: as a value, and where it is called with the context as its first argument.
const AS_VALUE: &str = " ";
const WITH_CONTEXT: &str = " $";

/// Functions with a callback.
const HIGHER_ORDER: &[&str] = &["map", "filter", "reduce", "single", "sift", "each", "sort", "replace"];

/// Functions that make large values out of small arguments, or copies of large ones.
const MAKING: &[&str] = &[
    "append", "each", "filter", "keys", "map", "match", "merge", "range", "replace", "reverse", "shuffle", "sift",
    "sort", "split", "spread", "zip", RANGE,
];

/// The name that an expression wrote, of a function in the tree, and whether the context is its first argument.
pub(super) fn unguarded(name: &str) -> Option<(&str, bool)> {
    name.strip_suffix(WITH_CONTEXT)
        .map(|name| (name, true))
        .or_else(|| name.strip_suffix(AS_VALUE).map(|name| (name, false)))
}

/// Whether this is no function of the language, but one that was put around a value.
pub(super) fn is_put_in(name: &str) -> bool {
    [CONCATENATE, RANGE, HOLD, SPEND, SOME, SEARCHED, SUBJECT, REPLACEMENT].contains(&name)
}

/// Puts the guards into a tree.
pub(super) fn plant(ast: &mut AstNode) {
    let mut repeats = false;
    tree::visit(ast, &mut |node| {
        repeats |= matches!(node, AstNode::Lambda { .. } | AstNode::Binary { op: BinaryOp::ColonEqual, .. });
    });
    let guard = Guard { bound: tree::bound_names(ast), repeats };
    tree::visit_mut(ast, &mut |node| guard.node(node));
}

struct Guard {
    /// The names that the expression binds somewhere.
    bound: HashSet<String>,
    /// Whether it can do something over and over again, so that a value may grow beyond the expression's own size.
    repeats: bool,
}

impl Guard {
    fn node(&self, node: &mut AstNode) {
        unchain(node);
        match node {
            AstNode::Variable(name) => rename(name),
            AstNode::Lambda { params, body, .. } => {
                // A value that is only passed on may be passed on twice.
                if matches!(&**body, AstNode::Variable(name) if !params.contains(name)) {
                    wrap(HOLD, body);
                }
                params.iter_mut().for_each(rename);
            }
            AstNode::Path { steps } => {
                for step in steps {
                    step.focus.iter_mut().chain(&mut step.index_var).for_each(rename);
                    for stage in &mut step.stages {
                        if let Stage::Index(name) = stage {
                            rename(name);
                        }
                    }
                }
            }
            AstNode::Array(items) | AstNode::ArrayGroup(items) if self.repeats => items.iter_mut().for_each(hold),
            AstNode::Object(pairs) if self.repeats => pairs.iter_mut().for_each(|(_, value)| hold(value)),
            AstNode::Function { name, args, is_builtin: true } => self.call(name, args),
            AstNode::Binary { op: op @ (BinaryOp::Concatenate | BinaryOp::Range), lhs, rhs } => {
                let name = if *op == BinaryOp::Range { RANGE } else { CONCATENATE };
                let args = vec![take(lhs), take(rhs)];
                *node = AstNode::Function { name: name.to_owned(), args, is_builtin: true };
            }
            _ => {}
        }
    }

    fn call(&self, name: &mut String, args: &mut Vec<AstNode>) {
        let built_in = !self.bound.contains(name);
        if built_in && HIGHER_ORDER.contains(&name.as_str()) {
            for arg in args.iter_mut() {
                if let AstNode::Lambda { body, .. } = arg
                    && makes_much(body)
                {
                    wrap(SPEND, body);
                }
            }
        }
        let partial = args.contains(&AstNode::Placeholder);
        match (name.as_str(), args.as_mut_slice()) {
            ("reduce", [array, _]) if built_in && !partial => wrap(SOME, array),
            ("match", [text, _, ..]) if built_in && !partial => wrap(SEARCHED, text),
            ("replace", [subject, _, replacement, ..]) if built_in && !partial => {
                wrap(SUBJECT, subject);
                if !matches!(replacement, AstNode::Lambda { .. }) {
                    wrap(REPLACEMENT, replacement);
                }
            }
            _ if guarded::find(name).is_some() && built_in && !partial => {
                args.insert(0, AstNode::Variable(String::new()));
                name.push_str(WITH_CONTEXT);
            }
            _ => rename(name),
        }
    }
}

/// The name of a variable in the tree.
pub(super) fn renamed(mut name: String) -> String {
    rename(&mut name);
    name
}

/// A name moves wherever it stands, so that an expression that binds it means what it says.
fn rename(name: &mut String) {
    // The service has no `$eval`: under its other name there is no such function.
    if name == "eval" || guarded::find(name).is_some() {
        name.push_str(AS_VALUE);
    }
}

/// `a ~> $f(b)` is the call `$f(a, b)`.
fn unchain(node: &mut AstNode) {
    let AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } = node else { return };
    let AstNode::Function { name, args, is_builtin: true } = &mut **rhs else { return };
    if args.contains(&AstNode::Placeholder) || guarded::find(name).is_none() {
        return;
    }
    let name = std::mem::take(name);
    let args = std::iter::once(take(lhs)).chain(std::mem::take(args)).collect();
    *node = AstNode::Function { name, args, is_builtin: true };
}

/// What is put into an array or an object a second time.
fn hold(node: &mut AstNode) {
    if matches!(node, AstNode::Variable(_)) {
        wrap(HOLD, node);
    }
}

fn makes_much(body: &AstNode) -> bool {
    let mut found = false;
    tree::visit(body, &mut |node| {
        found |= match node {
            AstNode::Function { name, .. } => MAKING.contains(&name.as_str()),
            AstNode::Array(items) => !items.is_empty(),
            AstNode::Binary { op, .. } => *op == BinaryOp::Range,
            _ => false,
        };
    });
    found
}

fn wrap(function: &str, node: &mut AstNode) {
    let args = vec![take(node)];
    *node = AstNode::Function { name: function.to_owned(), args, is_builtin: true };
}

fn take(node: &mut AstNode) -> AstNode {
    std::mem::replace(node, AstNode::Null)
}
