//! Walking the engine's syntax tree.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use super::error::SyntaxError;

/// What `$eval` becomes: a name that no expression can write, and so a function that is not there.
const HIDDEN_EVAL: &str = "eval ";

/// The name that an expression wrote, of one that stands in the tree.
pub(super) fn written(name: &str) -> &str {
    name.trim_end()
}

/// Refuses the operators that came after the service's version of the language. A parser of that version stumbles over
/// their second sign.
pub(super) fn refuse_newer(ast: &AstNode) -> Result<(), SyntaxError> {
    let mut found = Ok(());
    visit(ast, &mut |node| {
        if let AstNode::Binary { op, .. } = node
            && let Some(sign) = match op {
                BinaryOp::Coalesce => Some("?"),
                BinaryOp::Default => Some(":"),
                _ => None,
            }
        {
            found = Err(SyntaxError::not_unary(sign));
        }
    });
    found
}

/// The service has no `$eval`. An expression may still bind the name itself, so all its uses move together.
pub(super) fn hide_eval(ast: &mut AstNode) {
    visit_mut(ast, &mut |node| match node {
        AstNode::Variable(name) | AstNode::Function { name, is_builtin: true, .. } => hide(name),
        AstNode::Lambda { params, .. } => params.iter_mut().for_each(hide),
        AstNode::Path { steps } => {
            for step in steps {
                step.focus.iter_mut().chain(&mut step.index_var).for_each(hide);
                for stage in &mut step.stages {
                    if let Stage::Index(name) = stage {
                        hide(name);
                    }
                }
            }
        }
        _ => {}
    });
}

fn hide(name: &mut String) {
    if name == "eval" {
        HIDDEN_EVAL.clone_into(name);
    }
}

/// Calls `f` for a node and for all below it.
pub(super) fn visit<'a>(node: &'a AstNode, f: &mut dyn FnMut(&'a AstNode)) {
    f(node);
    children(node, &mut |child| visit(child, f));
}

fn visit_mut(node: &mut AstNode, f: &mut dyn FnMut(&mut AstNode)) {
    f(node);
    children_mut(node, &mut |child| visit_mut(child, f));
}

macro_rules! children {
    ($name:ident, $step:ident, [$($lifetime:lifetime)?], [$($mutable:tt)*], $iter:ident) => {
        /// Calls `f` for each node right below `node`, in the order in which they are evaluated.
        fn $name<$($lifetime)?>(node: &$($lifetime)? $($mutable)* AstNode, f: &mut dyn FnMut(&$($lifetime)? $($mutable)* AstNode)) {
            match node {
                AstNode::Path { steps } => steps.$iter().for_each(|step| $step(step, f)),
                AstNode::Binary { lhs, rhs, .. } => {
                    f(lhs);
                    f(rhs);
                }
                AstNode::Unary { operand, .. } => f(operand),
                AstNode::Function { args, .. } => args.$iter().for_each(f),
                AstNode::Call { procedure, args } => {
                    f(procedure);
                    args.$iter().for_each(f);
                }
                AstNode::Lambda { body, .. } => f(body),
                AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => items.$iter().for_each(f),
                AstNode::Object(pairs) => {
                    for (key, value) in pairs.$iter() {
                        f(key);
                        f(value);
                    }
                }
                AstNode::ObjectTransform { input, pattern } => {
                    f(input);
                    for (key, value) in pattern.$iter() {
                        f(key);
                        f(value);
                    }
                }
                AstNode::Conditional { condition, then_branch, else_branch } => {
                    f(condition);
                    f(then_branch);
                    if let Some(branch) = else_branch {
                        f(branch);
                    }
                }
                AstNode::FunctionApplication(inner) => f(inner),
                AstNode::Sort { input, terms } => {
                    f(input);
                    for (term, _) in terms.$iter() {
                        f(term);
                    }
                }
                AstNode::Transform { location, update, delete } => {
                    f(location);
                    f(update);
                    if let Some(delete) = delete {
                        f(delete);
                    }
                }
                AstNode::String(_)
                | AstNode::Name(_)
                | AstNode::Number(_)
                | AstNode::Boolean(_)
                | AstNode::Null
                | AstNode::Undefined
                | AstNode::Placeholder
                | AstNode::Regex { .. }
                | AstNode::Variable(_)
                | AstNode::ParentVariable(_)
                | AstNode::Wildcard
                | AstNode::Descendant
                | AstNode::Parent(_) => {}
            }
        }

        fn $step<$($lifetime)?>(step: &$($lifetime)? $($mutable)* PathStep, f: &mut dyn FnMut(&$($lifetime)? $($mutable)* AstNode)) {
            f(&$($mutable)* step.node);
            for stage in &$($mutable)* step.stages {
                if let Stage::Filter(filter) = stage {
                    f(filter);
                }
            }
        }
    };
}

children!(children, step, ['a], [], iter);
children!(children_mut, step_mut, [], [mut], iter_mut);
