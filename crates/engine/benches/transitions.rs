//! What a transition costs, in memory: `cargo bench -p engine`.
//!
//! Each benchmark runs whole executions; its throughput is in transitions, which must stay above a million a second.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up must stop")]

mod support;

use std::{fmt::Write, sync::Arc};

use asl::{Machine, Value};
use divan::{Bencher, counter::ItemsCount};
use engine::{Execution, Happened, Outcome};

fn main() {
    divan::main();
}

/// A thousand Pass states in a row.
#[divan::bench]
fn pass_chain(bencher: Bencher<'_, '_>) {
    run(bencher, &chain(1000), "{\"a\":1}", 1000);
}

/// A quarter of a megabyte through a hundred Pass states.
#[divan::bench]
fn large_payload(bencher: Bencher<'_, '_>) {
    let items: Vec<String> = (0..1000).map(|n| format!("\"{n:0>240}\"")).collect();
    run(bencher, &chain(100), &format!("{{\"items\":[{}]}}", items.join(",")), 100);
}

/// A Pass state that writes a result into its input, a thousand times.
#[divan::bench]
fn result_path(bencher: Bencher<'_, '_>) {
    let state = r#""Type":"Pass","Parameters":{"b.$":"$.a"},"ResultPath":"$.r""#;
    run(bencher, &chain_of(1000, state), "{\"a\":1}", 1000);
}

/// A loop of a Pass state that counts and a Choice state that looks, a thousand times round.
#[divan::bench]
fn choice_loop(bencher: Bencher<'_, '_>) {
    let definition = r#"{"StartAt":"Count","States":{
        "Count":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, 1)"},"Next":"Enough"},
        "Enough":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":1000,"Next":"Count"}],"Default":"Done"},
        "Done":{"Type":"Succeed"}}}"#;
    run(bencher, definition, "{\"n\":0}", 2000);
}

/// The same loop in JSONata, which counts in a variable.
#[divan::bench]
fn choice_loop_in_jsonata(bencher: Bencher<'_, '_>) {
    let definition = r#"{"QueryLanguage":"JSONata","StartAt":"Begin","States":{
        "Begin":{"Type":"Pass","Assign":{"n":0},"Next":"Count"},
        "Count":{"Type":"Pass","Assign":{"n":"{% $n + 1 %}"},"Next":"Enough"},
        "Enough":{"Type":"Choice","Choices":[{"Condition":"{% $n < 1000 %}","Next":"Count"}],"Default":"Done"},
        "Done":{"Type":"Succeed"}}}"#;
    run(bencher, definition, "{}", 2000);
}

/// A Pass state that totals the hundred lines of an order in JSONata.
#[divan::bench]
fn jsonata_transform(bencher: Bencher<'_, '_>) {
    let definition = r#"{"QueryLanguage":"JSONata","StartAt":"Total","States":{"Total":{"Type":"Pass","End":true,
        "Output":{"customer":"{% $states.input.customer.name %}",
            "total":"{% $sum($states.input.lines.(price * quantity)) %}",
            "dear":"{% [$states.input.lines[price > 50].sku] %}"}}}}"#;
    let lines: Vec<String> =
        (0..100).map(|n| format!(r#"{{"sku":"S{n}","price":{n},"quantity":{}}}"#, n % 7)).collect();
    run(bencher, definition, &format!(r#"{{"customer":{{"name":"Ada"}},"lines":[{}]}}"#, lines.join(",")), 1);
}

/// A Map state with a thousand iterations of one Pass state.
#[divan::bench]
fn map(bencher: Bencher<'_, '_>) {
    let definition = r#"{"StartAt":"Each","States":{"Each":{"Type":"Map","End":true,
        "ItemProcessor":{"StartAt":"Pass","States":{"Pass":{"Type":"Pass","End":true}}}}}}"#;
    let items: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    run(bencher, definition, &format!("[{}]", items.join(",")), 1000);
}

/// A Parallel state with ten branches, each a Parallel state with ten branches of one Pass state.
#[divan::bench]
fn parallel(bencher: Bencher<'_, '_>) {
    run(bencher, &fork("S", &|name| fork(name, &pass)), "{}", 111);
}

fn pass(name: &str) -> String {
    format!(r#"{{"StartAt":"{name}","States":{{"{name}":{{"Type":"Pass","End":true}}}}}}"#)
}

/// A Parallel state with ten branches, each with states of its own name.
fn fork(name: &str, branch: &dyn Fn(&str) -> String) -> String {
    let branches: Vec<String> = (0..10).map(|index| branch(&format!("{name}.{index}"))).collect();
    let branches = branches.join(",");
    format!(r#"{{"StartAt":"{name}","States":{{"{name}":{{"Type":"Parallel","End":true,"Branches":[{branches}]}}}}}}"#)
}

fn chain(length: usize) -> String {
    chain_of(length, r#""Type":"Pass""#)
}

fn chain_of(length: usize, state: &str) -> String {
    let mut states = String::new();
    for n in 1..length {
        write!(states, r#""S{n}":{{{state},"Next":"S{}"}},"#, n + 1).unwrap();
    }
    format!(r#"{{"StartAt":"S1","States":{{{states}"S{length}":{{{state},"End":true}}}}}}"#)
}

fn run(bencher: Bencher<'_, '_>, definition: &str, input: &str, transitions: usize) {
    let machine = Arc::new(Machine::compile(&Value::parse(definition).unwrap()).unwrap());
    let identity = Arc::new(support::identity(1, Value::parse(input).unwrap()));
    let now = identity.started_at;
    bencher.counter(ItemsCount::new(transitions)).bench(|| {
        let mut execution = Execution::new(machine.clone(), identity.clone());
        let commands = execution.step(Happened::Started, now);
        assert!(commands.is_empty() && matches!(execution.outcome(), Some(Outcome::Succeeded(_))));
        execution
    });
}
