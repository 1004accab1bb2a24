//! What came of a test, as the service tells it.

use std::sync::Arc;

use asl::{Fault, Value, flow::Stage, value::Object};
use engine::core::trial::{Tried, Verdict};
use serde_json::Number;

use super::request::InspectionLevel;

/// The answer to `TestState`.
pub(super) fn answer(tried: &Tried, level: InspectionLevel, input: &Value) -> Value {
    let mut fields = Fields::default();
    let status = match &tried.verdict {
        Verdict::Succeeded { output, next } => {
            fields.exit(output, next.as_ref());
            "SUCCEEDED"
        }
        Verdict::Failed(fault) => {
            fields.fault(fault);
            "FAILED"
        }
        Verdict::Retriable { fault, .. } => {
            fields.fault(fault);
            "RETRIABLE"
        }
        Verdict::Caught { fault, output, next } => {
            fields.fault(fault);
            fields.exit(output, next.as_ref());
            "CAUGHT_ERROR"
        }
    };
    if level != InspectionLevel::Info {
        fields.set("inspectionData", inspection(tried, input));
    }
    fields.set("status", status);
    fields.0.into()
}

/// The data on its way through the state, each as JSON text.
fn inspection(tried: &Tried, input: &Value) -> Value {
    let mut fields = Fields::default();
    fields.set("input", input.to_string());
    for (stage, value) in &tried.stages {
        fields.set(name(*stage), value.to_string());
    }
    if !tried.variables.is_empty() {
        fields.set("variables", Value::Object(tried.variables.clone()).to_string());
    }
    if let Some(limits) = tried.limits {
        fields.set("maxConcurrency", limits.max_concurrency);
        fields.set_some("toleratedFailureCount", limits.tolerance.count);
        let percentage = limits.tolerance.percentage.and_then(Number::from_f64);
        fields.set_some("toleratedFailurePercentage", percentage.map(Value::Number));
    }
    let details = error_details(tried);
    if !details.0.is_empty() {
        fields.set("errorDetails", details.0);
    }
    fields.0.into()
}

fn error_details(tried: &Tried) -> Fields {
    let index = |index: Option<usize>| index.map(|index| index as u64);
    let mut fields = Fields::default();
    fields.set_some("catchIndex", index(tried.handlers.catcher));
    fields.set_some("retryIndex", index(tried.handlers.retrier));
    if let Verdict::Retriable { delay_seconds, .. } = tried.verdict {
        fields.set("retryBackoffIntervalSeconds", delay_seconds);
    }
    fields
}

/// The name of a stage's field.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::InputPath => "afterInputPath",
        Stage::Parameters => "afterParameters",
        Stage::Arguments => "afterArguments",
        Stage::ItemsPath => "afterItemsPath",
        Stage::ItemsPointer => "afterItemsPointer",
        Stage::ItemSelector => "afterItemSelector",
        Stage::ItemBatcher => "afterItemBatcher",
        Stage::Result => "result",
        Stage::ResultSelector => "afterResultSelector",
        Stage::ResultPath => "afterResultPath",
    }
}

#[derive(Default)]
struct Fields(Object);

impl Fields {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    fn set_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    fn fault(&mut self, fault: &Fault) {
        self.set_some("error", fault.error.clone());
        self.set_some("cause", fault.cause.clone());
    }

    fn exit(&mut self, output: &Value, next: Option<&Arc<str>>) {
        self.set("output", output.to_string());
        self.set_some("nextState", next.cloned());
    }
}
