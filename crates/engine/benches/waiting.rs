//! What executions cost that wait: `cargo bench -p engine --bench waiting`.
//!
//! The rows "max alloc" are the memory that ten thousand of them take, which must stay below 100 MB with all that is around
//! them: `scripts/bench-waiting.py` measures the whole process.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up must stop")]

mod support;

use std::sync::Arc;

use asl::{Machine, Value};
use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use engine::{
    Identity,
    core::Call,
    journal::{Definition, Journal},
    run::{Answer, Executions, Outside, Reports, Running},
};
use support::identity;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// How many wait at once.
const COUNT: u64 = 10_000;

const WAIT: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":86400,"End":true}}}"#;

const CALLBACK: &str = r#"{"StartAt":"C","States":{"C":{"Type":"Task","End":true,"TimeoutSeconds":86400,
    "Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters":{"QueueUrl":"q","MessageBody":{"token.$":"$$.Task.Token"}}}}}"#;

fn main() {
    divan::main();
}

/// In a Wait state of a day.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn wait(bencher: Bencher<'_, '_>) {
    run(bencher, WAIT);
}

/// For a callback, with a time-out.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn callback(bencher: Bencher<'_, '_>) {
    run(bencher, CALLBACK);
}

/// Takes work that nobody ends.
struct HandedIn;

impl Outside for HandedIn {
    fn call(&self, _: &Arc<Identity>, _: Call, reports: Reports) -> Answer {
        Box::pin(async move {
            reports.submitted(Value::empty_object()).await;
            std::future::pending().await
        })
    }
}

fn run(bencher: Bencher<'_, '_>, text: &str) {
    let definition = Definition::new(text, Arc::new(Machine::compile(&Value::parse(text).unwrap()).unwrap()));
    let runtime = Runtime::new().unwrap();
    bencher
        .counter(ItemsCount::new(COUNT))
        .with_inputs(|| {
            let folder = tempfile::tempdir().unwrap();
            (Executions::new(Journal::open(folder.path()).unwrap(), Arc::new(HandedIn)), folder)
        })
        .bench_local_refs(|(executions, _)| {
            runtime.block_on(async {
                let start = |number| {
                    executions.start(&definition, identity(number, Value::empty_object())).unwrap().running().clone()
                };
                let running: Vec<Arc<Running>> = (0..COUNT).map(start).collect();
                for one in &running {
                    // Each has come to its rest.
                    let mut events = one.subscribe();
                    while one.look(|execution| execution.rests().is_empty()) {
                        events.changed().await.unwrap();
                    }
                }
                running
            })
        });
}
