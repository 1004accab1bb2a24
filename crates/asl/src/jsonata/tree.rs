//! Walking the engine's syntax tree.

use std::collections::HashSet;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use super::error::SyntaxError;

/// Refuses what the engine's parser lets pass and that of the service does not: operators that came after its version of
/// the language, over whose second sign it stumbles, and what the engine only finds when it evaluates.
pub(super) fn check(ast: &AstNode) -> Result<(), SyntaxError> {
    let mut found = None;
    visit(ast, &mut |node| {
        let error = match node {
            AstNode::Binary { op: BinaryOp::Coalesce, .. } => SyntaxError::not_unary("?"),
            AstNode::Binary { op: BinaryOp::Default, .. } => SyntaxError::not_unary(":"),
            AstNode::Binary { op: BinaryOp::ColonEqual, lhs, .. } if !matches!(**lhs, AstNode::Variable(_)) => {
                SyntaxError::coded("S0212", "The left side of := must be a variable name (start with $)")
            }
            AstNode::Regex { pattern, .. } if pattern.is_empty() => {
                SyntaxError::coded("S0301", "Empty regular expressions are not allowed")
            }
            _ => return,
        };
        found.get_or_insert(error);
    });
    found.map_or(Ok(()), Err)
}

/// Every name that an expression binds somewhere.
pub(super) fn bound_names(ast: &AstNode) -> HashSet<String> {
    let mut names = HashSet::new();
    visit(ast, &mut |node| match node {
        AstNode::Binary { op: BinaryOp::ColonEqual, lhs, .. } => {
            if let AstNode::Variable(name) = &**lhs {
                names.insert(name.clone());
            }
        }
        AstNode::Lambda { params, .. } => names.extend(params.iter().cloned()),
        AstNode::Path { steps } => {
            for step in steps {
                names.extend(step.focus.iter().chain(&step.index_var).cloned());
            }
        }
        _ => {}
    });
    names
}

/// Calls `f` for a node and for all below it.
pub(super) fn visit<'a>(node: &'a AstNode, f: &mut dyn FnMut(&'a AstNode)) {
    f(node);
    children(node, &mut |child| visit(child, f));
}

/// Calls `f` for a node and then for all below what it made of it.
pub(super) fn visit_mut(node: &mut AstNode, f: &mut dyn FnMut(&mut AstNode)) {
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
