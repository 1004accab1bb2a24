//! Where an evaluation failed.
//!
//! The engine's errors do not tell which function or which values they are about; the service's do. So an evaluation that
//! failed with such an error is done once more, with recorders in its tree: each operand notes its value when it is
//! known, and the last place whose operands were all known is the one that failed.

use std::{cell::RefCell, collections::HashSet, rc::Rc};

use jsonata_core::{
    ast::{AstNode, BinaryOp},
    evaluator::{Evaluator, EvaluatorError},
    value::JValue,
};

use super::{conversion, error::EvaluationError, guard, signature, tree};

/// The function that notes a value and gives it back, and the one that notes a call without arguments. No expression can
/// write their names.
const NOTE: &str = "note ";
const NOTE_CALL: &str = "note call ";

/// What may fail at a place.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// The call of a function.
    Call(Called),
    /// A comparison.
    Operator(&'static str),
    /// Something else that is done with a value.
    Value,
    /// An order-by clause, which has compared its values when it fails.
    Order,
}

/// How a function is called.
#[derive(Clone, Debug)]
pub(super) enum Called {
    /// By its name: `$f(1)`.
    ByName(String),
    /// By its name, on the context: `$f()`.
    OnContext(String),
    /// As a value that has this name, if any: `1 ~> $f`.
    AsValue(Option<String>),
}

/// Something that failed, and the values that it was given.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) what: What,
    pub(super) arguments: Vec<JValue>,
}

impl Place {
    /// A value as JSON text.
    pub(super) fn json(&self, index: usize) -> String {
        let value = self.arguments.get(index).and_then(|value| conversion::to_value(value).ok()?);
        value.map_or_else(|| "undefined".to_owned(), |value| value.to_string())
    }
}

/// What was noted of an evaluation.
pub(super) struct Explainer {
    places: Rc<[Site]>,
    record: Rc<RefCell<Record>>,
}

/// A place whose operands are noted.
struct Site {
    what: What,
    /// How many operands it has.
    operands: usize,
    /// Which of them are noted.
    noted: Vec<usize>,
}

#[derive(Default)]
struct Record {
    /// The places some of whose operands are known, the innermost last.
    open: Vec<(usize, Vec<JValue>)>,
    /// The last place whose operands were all known.
    last: Option<(usize, Vec<JValue>)>,
    /// The values that order-by clauses compare.
    keys: Vec<(usize, JValue)>,
}

impl Explainer {
    /// An explainer, and the tree to evaluate with it.
    pub(super) fn new(ast: &AstNode) -> (Self, AstNode) {
        let mut planting = Planting { places: Vec::new(), bound: tree::bound_names(ast) };
        let mut ast = ast.clone();
        tree::visit_mut(&mut ast, &mut |node| planting.plant(node));
        (Self { places: planting.places.into(), record: Rc::default() }, ast)
    }

    /// Makes the recorders known to an evaluator.
    pub(super) fn register(&self, evaluator: &mut Evaluator) -> Result<(), EvaluatorError> {
        let (places, record) = (Rc::clone(&self.places), Rc::clone(&self.record));
        evaluator.register_fn(NOTE, move |args: &[JValue]| {
            let [place, position, value] = args else { return Ok(JValue::Undefined) };
            if let (Some(place), Some(position)) = (index(place), index(position)) {
                record.borrow_mut().note(&places, place, position, value);
            }
            Ok(value.clone())
        })?;
        let record = Rc::clone(&self.record);
        evaluator.register_fn(NOTE_CALL, move |args: &[JValue]| {
            record.borrow_mut().last = args.first().and_then(index).map(|place| (place, Vec::new()));
            Err(EvaluationError::coded("T0410", "").into())
        })
    }

    /// The place where the evaluation ended.
    pub(super) fn place(&self) -> Option<Place> {
        let record = self.record.borrow();
        let (place, arguments) = record.last.as_ref()?;
        let what = self.places.get(*place)?.what.clone();
        let arguments = match what {
            What::Order => record.mixed_keys(*place).unwrap_or_default(),
            _ => arguments.clone(),
        };
        Some(Place { what, arguments })
    }
}

fn index(value: &JValue) -> Option<usize> {
    usize::try_from(value.as_i64()?).ok()
}

impl Record {
    fn note(&mut self, places: &[Site], place: usize, position: usize, value: &JValue) {
        let Some(Site { what, operands, noted }) = places.get(place) else { return };
        if matches!(what, What::Order) {
            self.keys.push((place, value.clone()));
        }
        if noted.first() == Some(&position) {
            self.open.push((place, Vec::new()));
        }
        let Some((_, values)) = self.open.last_mut() else { return };
        values.resize(position, JValue::builtin("function"));
        values.push(value.clone());
        if noted.last() == Some(&position) {
            values.resize(*operands, JValue::builtin("function"));
            self.last = self.open.pop();
        }
    }
}

impl Record {
    /// The first two neighbours among the values of an order-by clause that can't be compared.
    fn mixed_keys(&self, place: usize) -> Option<Vec<JValue>> {
        let keys: Vec<&JValue> = self
            .keys
            .iter()
            .filter_map(|(of, key)| Some(key).filter(|key| *of == place && (key.is_string() || key.is_number())))
            .collect();
        let mixed = keys.windows(2).find(|pair| matches!(pair, [a, b] if a.is_string() != b.is_string()))?;
        Some(mixed.iter().map(|key| (*key).clone()).collect())
    }
}

/// Puts recorders into a tree.
struct Planting {
    places: Vec<Site>,
    /// The names that the expression binds somewhere: they may be other functions than the built-in ones.
    bound: HashSet<String>,
}

impl Planting {
    fn plant(&mut self, node: &mut AstNode) {
        let anonymous = self.unchain(node);
        match node {
            AstNode::Function { name, args, is_builtin: true }
                if name != NOTE && !guard::is_put_in(name) && !args.contains(&AstNode::Placeholder) =>
            {
                self.call(name, args, anonymous);
            }
            AstNode::Call { args, .. } => self.note(What::Call(Called::AsValue(None)), args.iter_mut().collect()),
            AstNode::Binary { op, lhs, rhs } => {
                if let Some(operator) = comparison(*op) {
                    self.note(What::Operator(operator), vec![lhs, rhs]);
                }
            }
            AstNode::Unary { operand, .. } => self.note(What::Value, vec![operand]),
            AstNode::Sort { terms, .. } => {
                for (term, _) in terms {
                    self.note(What::Order, vec![term]);
                }
            }
            AstNode::Transform { update, delete, .. } => {
                self.note(What::Value, vec![update]);
                if let Some(delete) = delete {
                    self.note(What::Value, vec![delete]);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, name: &mut String, args: &mut Vec<AstNode>, anonymous: bool) {
        let (written, with_context) = guard::unguarded(name).unwrap_or((name, false));
        let function = written.to_owned();
        let given = args.len() - usize::from(with_context);
        let built_in = !self.bound.contains(name);
        if given == 0 && built_in && signature::needs_argument(written) {
            *args = vec![self.place(What::Call(Called::ByName(function)), 0, Vec::new())];
            NOTE_CALL.clone_into(name);
            return;
        }
        let on_context = given == 0 && built_in && signature::takes_context(written);
        if on_context && !with_context {
            args.push(AstNode::Variable(String::new()));
        }
        let called = match (anonymous, on_context) {
            (true, _) => Called::AsValue(Some(function)),
            (false, true) => Called::OnContext(function),
            (false, false) => Called::ByName(function),
        };
        // A guarded function gets the context as well, which is only its argument where it has no other.
        let context = usize::from(with_context && given > 0);
        self.note(What::Call(called), args.iter_mut().skip(context).collect());
    }

    /// Makes `a ~> $f(b)` the call `$f(a, b)` that it is. True where the function is not called by its name there.
    fn unchain(&self, node: &mut AstNode) -> bool {
        let AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } = node else { return false };
        let (name, rest, anonymous) = match &mut **rhs {
            AstNode::Function { name, args, is_builtin: true } if !args.contains(&AstNode::Placeholder) => {
                (name.clone(), std::mem::take(args), false)
            }
            AstNode::Variable(name) if self.is_builtin(name) => (name.clone(), Vec::new(), true),
            _ => return false,
        };
        let mut args = vec![std::mem::replace(&mut **lhs, AstNode::Null)];
        args.extend(rest);
        *node = AstNode::Function { name, args, is_builtin: true };
        anonymous
    }

    /// Puts recorders around the operands of one place.
    fn note(&mut self, what: What, operands: Vec<&mut AstNode>) {
        // What a callback is given depends on how it is written, so it must stay as it is.
        let callbacks = matches!(what, What::Call(_));
        let noted: Vec<usize> = (0..operands.len())
            .filter(|index| {
                !(callbacks && *index > 0 && operands.get(*index).is_some_and(|node| self.is_function(node)))
            })
            .collect();
        if noted.is_empty() {
            return;
        }
        let place = self.place(what, operands.len(), noted.clone());
        for (index, operand) in operands.into_iter().enumerate().filter(|(index, _)| noted.contains(index)) {
            let value = std::mem::replace(operand, AstNode::Null);
            let args = vec![place.clone(), number(index), value];
            *operand = AstNode::Function { name: NOTE.to_owned(), args, is_builtin: true };
        }
    }

    fn place(&mut self, what: What, operands: usize, noted: Vec<usize>) -> AstNode {
        self.places.push(Site { what, operands, noted });
        number(self.places.len() - 1)
    }

    /// Whether an operand may be a callback.
    fn is_function(&self, operand: &AstNode) -> bool {
        match operand {
            AstNode::Lambda { .. } | AstNode::Regex { .. } | AstNode::Transform { .. } => true,
            AstNode::Variable(name) => self.bound.contains(name) || self.is_builtin(name),
            _ => false,
        }
    }

    fn is_builtin(&self, name: &str) -> bool {
        let written = guard::unguarded(name).map_or(name, |(written, _)| written);
        signature::declared(written).is_some() && !self.bound.contains(name)
    }
}

fn number(index: usize) -> AstNode {
    #[expect(clippy::cast_precision_loss, reason = "there are not so many places in an expression")]
    AstNode::Number(index as f64)
}

fn comparison(op: BinaryOp) -> Option<&'static str> {
    Some(match op {
        BinaryOp::LessThan => "<",
        BinaryOp::LessThanOrEqual => "<=",
        BinaryOp::GreaterThan => ">",
        BinaryOp::GreaterThanOrEqual => ">=",
        _ => return None,
    })
}
