//! What an expression costs: `cargo bench -p asl`.
//!
//! Simple expressions must stay at a few microseconds, whatever the size of the input that they read a part of.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up must stop")]

use asl::{
    Value,
    context::Environment,
    jsonata::{Jsonata, States},
};
use divan::Bencher;
use time::OffsetDateTime;

fn main() {
    divan::main();
}

/// Expressions, by what they need: no engine, the engine on a small part of the input, functions of our own, loops.
const EXPRESSIONS: &[&str] = &[
    "$states.input.order.id",
    "$states.input",
    "$states.input.n + 1",
    "$states.input.name & '!'",
    "$states.input.n > 3 and $exists($states.input.order)",
    "$states.input.items[0].id",
    "{'id': $states.input.order.id, 'n': $states.input.n}",
    "$uuid()",
    "$now()",
    "$sum($states.input.items.price)",
    "$map($states.input.items, function($item) { $item.price * 2 })",
    "$states.input.missing.$sum()",
    "$states.input.name + 1",
];

#[divan::bench(args = EXPRESSIONS)]
fn small_input(bencher: Bencher<'_, '_>, expression: &str) {
    evaluate(bencher, expression, 3);
}

/// A quarter of a megabyte of input.
#[divan::bench(args = EXPRESSIONS)]
fn large_input(bencher: Bencher<'_, '_>, expression: &str) {
    evaluate(bencher, expression, 6000);
}

#[divan::bench(args = EXPRESSIONS)]
fn compile(bencher: Bencher<'_, '_>, expression: &str) {
    bencher.bench(|| Jsonata::parse(expression));
}

struct Surroundings;

impl Environment for Surroundings {
    fn context(&self) -> Value {
        Value::empty_object()
    }

    fn variable(&self, _: &str) -> Option<Value> {
        None
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn random(&self) -> u64 {
        1
    }
}

fn evaluate(bencher: Bencher<'_, '_>, expression: &str, items: i64) {
    let items: Vec<Value> = (0..items)
        .map(|n| Value::from([("id", Value::from(n)), ("price", Value::from(n * 3)), ("sku", "abc".into())]))
        .collect();
    let input = Value::from([
        ("n", Value::from(5_i64)),
        ("name", Value::from("Ada")),
        ("order", Value::from([("id", Value::from("o-1"))])),
        ("items", Value::from(items)),
    ]);
    let expression = Jsonata::parse(expression).unwrap();
    let states = States { input: &input, result: None, error_output: None };
    bencher.bench(|| expression.evaluate(&states, &Surroundings));
}
