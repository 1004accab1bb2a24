//! What the journal costs: `cargo bench -p engine --bench journal`.
//!
//! The file is in the temporary folder: set `TMPDIR` to measure another disk.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up must stop")]

mod support;

use std::{
    fmt::Write,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use asl::{Machine, Value};
use divan::{Bencher, counter::ItemsCount};
use engine::{
    Identity, Outcome,
    core::Call,
    journal::{Definition, Journal},
    run::{Answer, Executions, Outside, Reports, Running},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const PASS: &str = r#"{"StartAt":"Pass","States":{"Pass":{"Type":"Pass","End":true}}}"#;
const LOOP: &str = r#"{"StartAt":"Count","States":{
    "Count":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, 1)"},"Next":"Enough"},
    "Enough":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":1000,"Next":"Count"}],"Default":"Done"},
    "Done":{"Type":"Succeed"}}}"#;
const WAIT: &str = r#"{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":86400,"End":true}}}"#;

fn main() {
    divan::main();
}

/// An execution of one Pass state, from its start to its end, in a file.
#[divan::bench]
fn pass(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_a_file();
    let definition = definition(PASS);
    bencher.bench(|| stage.end(&definition, "{}"));
}

/// The same in memory, as with `--ephemeral`.
#[divan::bench]
fn pass_in_memory(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_memory();
    let definition = definition(PASS);
    bencher.bench(|| stage.end(&definition, "{}"));
}

/// The same without a journal, as an Express execution.
#[divan::bench]
fn pass_without(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_memory();
    let definition = definition(PASS);
    bencher.bench(|| {
        let identity = Arc::new(identity("{}"));
        stage
            .runtime
            .block_on(async { Running::start(definition.machine().clone(), identity, Arc::new(Echo)).ended().await })
    });
}

/// A loop of a thousand rounds: four thousand events in one turn.
#[divan::bench]
fn choice_loop(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_a_file();
    let definition = definition(LOOP);
    bencher.bench(|| stage.end(&definition, r#"{"n":0}"#));
}

/// A quarter of a megabyte through a hundred Pass states.
#[divan::bench]
fn large_payload(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_a_file();
    let definition = definition(&chain(100, r#""Type":"Pass""#));
    let items: Vec<String> = (0..1000).map(|n| format!("\"{n:0>240}\"")).collect();
    let input = format!("{{\"items\":[{}]}}", items.join(","));
    bencher.bench(|| stage.end(&definition, &input));
}

/// A hundred calls one after the other, each answered at once: what a call costs beyond its answer.
#[divan::bench]
fn calls(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_a_file();
    let definition = definition(&chain(100, TASK));
    bencher.counter(ItemsCount::new(100_usize)).bench(|| stage.end(&definition, "{}"));
}

/// The same in a hundred executions at once.
#[divan::bench(sample_count = 20)]
fn calls_of_many(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_a_file();
    let definition = definition(&chain(100, TASK));
    bencher.counter(ItemsCount::new(10_000_usize)).bench(|| {
        stage.runtime.block_on(async {
            let started: Vec<_> = (0..100).map(|_| stage.start(&definition, "{}")).collect();
            for running in started {
                assert!(matches!(running.ended().await, Outcome::Succeeded(_)));
            }
        });
    });
}

/// A start of an execution that waits.
#[divan::bench]
fn wait(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_a_file();
    let definition = definition(WAIT);
    let _guard = stage.runtime.enter();
    bencher.bench(|| stage.start(&definition, "{}"));
}

/// A new start of the runner with a thousand executions that wait.
#[divan::bench(sample_count = 20)]
fn resume(bencher: Bencher<'_, '_>) {
    let stage = Stage::in_a_file();
    let definition = definition(WAIT);
    let _guard = stage.runtime.enter();
    for _ in 0..1000 {
        stage.start(&definition, "{}");
    }
    bencher.counter(ItemsCount::new(1000_usize)).bench(|| {
        let executions = stage.again();
        assert_eq!(executions.resume().unwrap().running.len(), 1000);
    });
}

/// A look at an execution of one state that ended long ago.
#[divan::bench]
fn find_short(bencher: Bencher<'_, '_>) {
    find(bencher, PASS);
}

/// A look at an execution of 2,000 states that ended long ago.
#[divan::bench]
fn find_long(bencher: Bencher<'_, '_>) {
    find(bencher, LOOP);
}

fn find(bencher: Bencher<'_, '_>, text: &str) {
    let stage = Stage::in_a_file();
    let arn = stage.end(&definition(text), r#"{"n":0}"#);
    // Known by nobody, so that it has to be read.
    bencher.with_inputs(|| stage.again()).bench_refs(|executions| executions.find(&arn).unwrap().unwrap());
}

const TASK: &str = r#""Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:any""#;

/// Answers at once with what it is asked.
struct Echo;

impl Outside for Echo {
    fn call(&self, _: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        Box::pin(async move { Ok(call.input) })
    }
}

struct Stage {
    runtime: Runtime,
    executions: Arc<Executions>,
    folder: Option<TempDir>,
}

impl Stage {
    fn in_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let executions = Executions::new(Journal::open(folder.path()).unwrap(), Arc::new(Echo));
        Self { runtime: Runtime::new().unwrap(), executions, folder: Some(folder) }
    }

    fn in_memory() -> Self {
        let executions = Executions::new(Journal::in_memory().unwrap(), Arc::new(Echo));
        Self { runtime: Runtime::new().unwrap(), executions, folder: None }
    }

    /// The executions of the same journal, as another process has them.
    fn again(&self) -> Arc<Executions> {
        let journal = Journal::open(self.folder.as_ref().unwrap().path()).unwrap();
        Executions::new(journal, Arc::new(Echo))
    }

    fn start(&self, definition: &Definition, input: &str) -> Arc<Running> {
        self.executions.start(definition, identity(input)).unwrap().running().clone()
    }

    fn end(&self, definition: &Definition, input: &str) -> Arc<str> {
        self.runtime.block_on(async {
            let running = self.start(definition, input);
            assert!(matches!(running.ended().await, Outcome::Succeeded(_)));
            running.identity().arn.clone()
        })
    }
}

fn definition(text: &str) -> Definition {
    Definition::new(text, Arc::new(Machine::compile(&Value::parse(text).unwrap()).unwrap()))
}

fn identity(input: &str) -> Identity {
    static INPUTS: LazyLock<std::sync::Mutex<Option<(String, Value)>>> = LazyLock::new(std::sync::Mutex::default);
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut last = INPUTS.lock().unwrap();
    if last.as_ref().is_none_or(|(text, _)| text != input) {
        *last = Some((input.to_owned(), Value::parse(input).unwrap()));
    }
    support::identity(number, last.as_ref().unwrap().1.clone())
}

fn chain(length: usize, state: &str) -> String {
    let mut states = String::new();
    for n in 1..length {
        write!(states, r#""S{n}":{{{state},"Next":"S{}"}},"#, n + 1).unwrap();
    }
    format!(r#"{{"StartAt":"S1","States":{{{states}"S{length}":{{{state},"End":true}}}}}}"#)
}
