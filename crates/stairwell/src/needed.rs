//! The functions that a command needs, and when they are built: a command that is about one function or one state machine
//! builds what is sure to be called before it begins, and each other function when it is called.

use std::{path::PathBuf, sync::Arc};

use cloud::lambda::{Builder, build};
use sam::{Application, Function, StateMachine};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{project::build_options, terminal::BuildProgress};

/// What is built before anything begins.
#[derive(Clone, Copy, Debug)]
pub enum Needed<'a> {
    /// All functions: anything may be called, and nobody is to wait then.
    All,
    /// One function, by its name.
    Function(&'a str),
    /// What the definition of a state machine names, and those of the state machines that it names.
    By(&'a StateMachine),
}

impl Needed<'_> {
    /// These functions of an application, and the others.
    pub fn of(self, application: &Application) -> (Vec<Function>, Vec<Function>) {
        let functions = application.functions.iter().cloned();
        match self {
            Self::All => (functions.collect(), Vec::new()),
            Self::Function(name) => functions.partition(|function| function.name == name),
            Self::By(machine) => {
                let machines = reached(machine, application);
                functions.partition(|function| {
                    machines.iter().any(|machine| names(&machine.definition, &function.name, &function.arn))
                })
            }
        }
    }
}

/// A state machine with those that its definition names, and those that these name.
fn reached<'a>(first: &'a StateMachine, application: &'a Application) -> Vec<&'a StateMachine> {
    let mut found = vec![first];
    let mut looked_at = 0;
    while let Some(machine) = found.get(looked_at).copied() {
        looked_at += 1;
        let named =
            application.state_machines.iter().filter(|other| names(&machine.definition, &other.name, &other.arn));
        for other in named {
            if !found.iter().any(|known| known.arn == other.arn) {
                found.push(other);
            }
        }
    }
    found
}

/// Whether a text of a definition is this name, or has this ARN in it. What a definition makes of its input is not known here:
/// what that calls is built then.
fn names(definition: &Value, name: &str, arn: &str) -> bool {
    match definition {
        Value::String(text) => text == name || text.contains(arn),
        Value::Array(items) => items.iter().any(|item| names(item, name, arn)),
        Value::Object(fields) => fields.values().any(|field| names(field, name, arn)),
        _ => false,
    }
}

/// Builds functions when they are called, one after the other, and tells of it where there is something to build.
pub fn builder(release: bool) -> Builder {
    let turns = Arc::new(Mutex::new(()));
    Builder::new(move |function| build_one(function, release, turns.clone()))
}

async fn build_one(function: Function, release: bool, turns: Arc<Mutex<()>>) -> Result<PathBuf, String> {
    let _turn = turns.lock().await;
    let mut progress = BuildProgress::of_a_call();
    let built = build(std::slice::from_ref(&function), build_options(release), |event| progress.take(event)).await;
    let executable = built.map_err(|error| error.to_string())?.remove(&function.name);
    executable.ok_or_else(|| format!("function `{}` is not one that Cargo builds", function.name))
}
