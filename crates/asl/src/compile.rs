//! From a definition's JSON to a [`Machine`], with everything that is wrong in it and not just the first thing.

mod assigned;
mod choice;
mod diagnostic;
mod distributed;
mod duplicates;
mod edges;
mod fields;
mod found;
mod graph;
mod literals;
mod map;
mod names;
mod never_taken;
mod reach;
mod retry;
mod scope;
mod shape;
mod state;
mod task;
mod template;
mod uses;
mod warn;

use std::sync::Arc;

use crate::{
    flow::DataFlow,
    machine::{Graph, Machine},
    malformed,
    value::Value,
};

pub use diagnostic::{Code, Diagnostic, Severity, without_consequences};
use diagnostic::{Findings, Pointer};
use fields::{Fields, Language};

/// The longest definition, in bytes.
const MAX_DEFINITION: usize = 1_048_576;

/// What came of a definition.
#[derive(Debug)]
pub struct Compiled {
    /// The machine, where no finding is an error.
    pub machine: Option<Machine>,
    /// Errors and warnings, in the order of the definition.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks and compiles a definition.
pub fn compile(definition: &Value) -> Compiled {
    let mut findings = Findings::default();
    let machine = machine(definition, &mut findings);
    let failed = findings.has_errors();
    Compiled { machine: machine.filter(|_| !failed), diagnostics: findings.into_diagnostics() }
}

/// Checks and compiles a definition's JSON text.
pub fn compile_text(text: &str) -> Compiled {
    let mut findings = Findings::default();
    let root = Pointer::root();
    if text.len() > MAX_DEFINITION {
        findings.error(
            Code::SchemaValidationFailed,
            &root,
            format!("the definition has more than {MAX_DEFINITION} bytes"),
        );
    } else {
        match Value::parse(text) {
            Ok(definition) => {
                let mut compiled = compile(&definition);
                let duplicates = duplicate_states(text);
                compiled.machine = compiled.machine.filter(|_| duplicates.is_empty());
                compiled.diagnostics.extend(duplicates);
                return compiled;
            }
            Err(error) => {
                let why = malformed::find(text).map_or_else(|| error.to_string(), |malformed| malformed.to_string());
                findings.error_of_no_place(Code::InvalidJsonDescription, why);
            }
        }
    }
    Compiled { machine: None, diagnostics: findings.into_diagnostics() }
}

/// What a definition's text has and its value does not: states whose names others of their graph have too.
pub fn duplicate_states(text: &str) -> Vec<Diagnostic> {
    duplicates::find(text)
}

fn machine(definition: &Value, findings: &mut Findings) -> Option<Machine> {
    let mut fields = Fields::open(definition, Pointer::root(), Language::JsonPath, findings)?;
    let comment = fields.text("Comment");
    let timeout_seconds = fields.count("TimeoutSeconds", 0..=state::MAX_SECONDS);
    fields.one_of("Version", &["1.0"]);
    state::check_language(&mut fields);
    if let Some(language) = state::own_language(&fields) {
        fields.language = language;
    }
    let graph = graph::graph(&mut fields);
    fields.close();
    names::check(definition, findings);
    reach::check(definition, findings);
    let graph = Arc::new(graph?);
    let machine = Machine { comment, timeout_seconds, has_jsonata: has_jsonata(&graph), graph };
    distributed::check_labels(&machine, findings);
    scope::check(&machine, findings);
    if !findings.has_errors() {
        warn::check(&machine, findings);
    }
    Some(machine)
}

fn has_jsonata(graph: &Graph) -> bool {
    graph.all_states().iter().any(|state| matches!(state.flow, DataFlow::Jsonata(_)))
}
